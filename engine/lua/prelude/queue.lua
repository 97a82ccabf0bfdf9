-- Holds the sleeping tasks of one state.
-- Guarantee: tasks leave in the order (wake time, order of going to sleep), and a task that leaves early leaves nothing.
-- A wait for the next frame costs no heap: `upcoming` is a list that the next tick takes as a whole.

local queue = {}

local heap, size = {}, 0
local upcoming, count = {}, 0
local spare = {}
local slept = 0


local function before(a, b)
  if a.due == b.due then
    return a.order < b.order
  end
  return a.due < b.due
end


local function rise(item, at)
  while at > 1 do
    local parent = (at - at % 2) / 2
    local above = heap[parent]
    if not before(item, above) then
      break
    end
    heap[at] = above
    above.at = at
    at = parent
  end
  heap[at] = item
  item.at = at
end


local function sink(item, at)
  while true do
    local child = at * 2
    if child > size then
      break
    end
    if child < size and before(heap[child + 1], heap[child]) then
      child = child + 1
    end
    local below = heap[child]
    if not before(below, item) then
      break
    end
    heap[at] = below
    below.at = at
    at = child
  end
  heap[at] = item
  item.at = at
end


--- Wake `item` in the first tick with now >= `due`.
function queue.sleep(item, due)
  slept = slept + 1
  size = size + 1
  item.due, item.order, item.list = due, slept, heap
  rise(item, size)
end


--- Wake `item` in the next frame, whatever the clock says then.
function queue.next_frame(item)
  count = count + 1
  upcoming[count] = item
  item.list, item.at = upcoming, count
end


local function take_from_heap(item)
  local at = item.at
  local last = heap[size]
  heap[size] = nil
  size = size - 1
  if last ~= item then
    if at > 1 and before(last, heap[(at - at % 2) / 2]) then
      rise(last, at)
    else
      sink(last, at)
    end
  end
end


--- Take `item` out, wherever it sleeps; does nothing for one that does not.
function queue.remove(item)
  local list = item.list
  if list == heap then
    take_from_heap(item)
  elseif list then
    list[item.at] = false
  end
  item.list = nil
end


--- Take the tasks that waited for this frame: a list with holes (`false`) and its length.
-- The list belongs to the caller until the next call.
function queue.take_upcoming()
  local list, n = upcoming, count
  upcoming, spare = spare, list
  count = 0
  return list, n
end


--- Take the next task with due <= `now`, or nil.
function queue.take_due(now)
  local item = heap[1]
  if item and item.due <= now then
    take_from_heap(item)
    item.list = nil
    return item
  end
  return nil
end


--- When the first sleeper wakes: true for the next frame, a time, or false for never.
function queue.wake()
  if count > 0 then
    return true
  end
  local first = heap[1]
  return first and first.due or false
end


--- How many tasks sleep here.
function queue.sleeping()
  return size + count
end


return queue
