-- Holds the sleeping tasks of one state.
-- Guarantee: tasks leave in the order (wake time, order of going to sleep), and a task that leaves early leaves nothing.
-- Tasks that wait for the next frame are not here: `several` keeps them in a list.

local queue = {
  heap = {}, -- the first to wake is its first
}

local heap, size = queue.heap, 0
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


--- Take `item`, which sleeps here, out.
function queue.remove(item)
  take_from_heap(item)
  item.list = nil
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


return queue
