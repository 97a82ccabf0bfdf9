-- What each tick runs of a calm state that shows what it does; `steady.lua` says when a state is so.
-- All of it is in one function: a thousand states come here in each frame, and every call, upvalue and constant more would
-- be a cold cache line in each of them. Hence what few ticks need is asked of `steady`.

local prelude = ...
local clock, tray, as_number = prelude.clock, prelude.outbox.tray, prelude.screen.as_number
local SUSPEND, DONE = prelude.records.SUSPEND, prelude.records.DONE

local raw_resume, yield, unpack, huge = coroutine.resume, coroutine.yield, table.unpack or unpack, math.huge

-- Name, value and place of each field that the window shows, one after the other. With room for five, as what grows later
-- lies on a page of its own.
local shown = { nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil }

local LAST = 14 -- where in the tray the last value may be, as a yield may carry twelve


--- Tick until something else happens, and give the phase of the tick in which it does; then the entity's spot where all of
-- it has run in that tick, so that only the end is left to be done, or nothing and true where a part of it has. `task` is
-- what runs in every tick, by the `hook` `update` or by itself, or false where all sleep; `due` is when the next one wakes.
local function cycle(steady, phase, task, due, hook, spot)
  local x, y, self = spot.x, spot.y, spot.self
  local calm, ready, count, color = true, phase == steady.READY, nil, nil

  local function stir(ran)
    if calm then
      calm, spot.x, spot.y = false, x, y
      for i = 1, count or 0, 3 do
        spot.seen[shown[i + 2]] = shown[i + 1]
      end
      steady.disturb(task, hook, ran)
    end
  end

  steady.enter(task, hook, spot, stir)
  local clock, tray, shown, raw_resume, yield = clock, tray, shown, raw_resume, yield -- luacheck: ignore 431
  local as_number, SUSPEND, DONE, unpack, LAST = as_number, SUSPEND, DONE, unpack, LAST -- luacheck: ignore 431
  local fn, thread = hook and hook.fn, not ready and task and task.thread
  due = ready and huge or due
  repeat
    -- The task that runs in every tick.
    if thread and not fn then
      local ok, token, request = raw_resume(thread)
      if not (calm and request == true and token == SUSPEND and ok) then
        if calm and token == SUSPEND and ok and request and task.listed then
          due = steady.lie_down(task, request)
          task, thread = false, nil
        else
          stir(task)
          if steady.settle(task, ok, token, request) then
            return phase, nil, true
          end
        end
      end
    end
    -- Those who slept until now.
    if clock.now >= due then
      if not calm then
        return phase, nil, true
      end
      due, task = steady.wake(clock.now, task, hook, spot.shown)
      if not due then
        return phase, nil, true
      end
      thread = task and task.thread
    end
    -- The `update` hook.
    if thread and fn then
      local ok, token, request = raw_resume(thread, fn, self, clock.dt)
      if not calm or token ~= DONE then
        stir(task)
        steady.settle_beat(task, hook, ok, token, request)
      end
    end
    -- What the window shows: the commands are in the tray already, the fields that changed go there now.
    local n = calm and tray[1] and tray[2]
    local told = n
    if not n or n > LAST or color and not steady.same(self.color, color) then
      n = nil
    elseif not count then
      n, count, color = steady.survey(spot, shown)
    else
      for i = 1, count, 3 do
        local value = self[shown[i]]
        if value ~= shown[i + 1] then
          if value == nil or as_number(value) ~= value and value ~= true and value ~= false and value == value then
            n = nil -- more than a number, NaN or a boolean
            break
          end
          tray[n + 1], tray[n + 2], shown[i + 1] = tray[1] + steady.HEAD + shown[i + 2], value, value
          n = n + 2
          tray[2] = n
        end
      end
    end
    if not n or n > LAST or not task and due == huge then
      stir()
      return phase, spot
    end
    -- Where the entity is.
    local to_x, to_y = self.x, self.y
    local moved = to_x ~= x or to_y ~= y
    if moved then -- numbers, as in `body.lua`
      moved = to_x and to_y and (as_number(to_x) == to_x or to_x ~= to_x) and (as_number(to_y) == to_y or to_y ~= to_y)
      x, y = moved and to_x or nil, moved and to_y or nil
    end
    -- That is told, and what comes back is the next tick.
    if n > 2 then
      tray[2] = 2
      clock.now, clock.dt, clock.frame, phase = yield(task and 1 - told or due, moved and to_x or nil, moved and to_y or nil,
        unpack(tray, 3, n))
    elseif not moved then
      clock.now, clock.dt, clock.frame, phase = yield(task and true or due)
    elseif task then
      clock.now, clock.dt, clock.frame, phase = yield(to_x, to_y)
    else
      clock.now, clock.dt, clock.frame, phase = yield(due, to_x, to_y)
    end
    if phase < 0 then
      stir()
    elseif ready then
      ready, thread = false, task and task.thread
      due = steady.next_due()
    end
  until not calm
  return phase
end


if jit then
  jit.off(cycle) -- a loop that yields is never compiled, but tried in vain, by a thousand states in the same frame
end


return { run = cycle } -- a file of the prelude that is loaded ahead is asked for a word of it
