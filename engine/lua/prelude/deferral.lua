-- What is done at the end of a tick: tasks that were deferred, and what the engine itself put off.
-- Guarantee: a tick ends; after many rounds of tasks that defer others the rest waits for the next frame.

local prelude = ...
local turns, budget, several = prelude.turns, prelude.budget, prelude.later("several")

local DEFER_ROUNDS = 80 -- of deferred tasks that defer others, in one tick

local deferral = {}

local deferred, spare_deferred = {}, {}
local endings = {}


--- Run `task` at the end of this tick.
function deferral.defer(task)
  local stir = turns.stir
  if stir then
    stir()
  end
  local n = turns.deferrals + 1
  turns.deferrals = n
  deferred[n], task.deferred = task, n
end


--- Call `fn()` when this tick is over, after all that was deferred.
function deferral.at_tick_end(fn)
  local stir = turns.stir
  if stir then
    stir()
  end
  endings[#endings + 1] = fn
  local n = turns.deferrals + 1
  turns.deferrals = n
  deferred[n] = false
end


local function run_endings()
  local list = endings
  endings = {}
  for i = 1, #list do
    list[i]()
  end
end


local function run_deferred_once()
  local list, n = deferred, turns.deferrals
  deferred, spare_deferred, turns.deferrals = spare_deferred, list, 0
  for i = 1, n do
    local task = list[i]
    list[i] = nil
    if task and task.deferred == i then
      task.deferred = nil
      if budget.exhausted == "halted" then
        deferral.defer(task)
      else
        several.start(task)
      end
    end
  end
end


-- Leaves what is still deferred for the next frame. After a stop, whose problem says it all, that is no other one.
local function put_off(overrun)
  local told = {}
  for i = 1, turns.deferrals do
    local task = deferred[i]
    deferred[i] = nil
    if task and task.deferred == i then
      task.deferred = nil
      turns.next_frame(task)
      if overrun and not told[task.entity] then
        told[task.entity] = true
        prelude.failures.on_overrun(task, DEFER_ROUNDS)
      end
    end
  end
  turns.deferrals = 0
  run_endings()
end


--- Run everything that was deferred, also what that defers; after many rounds the rest waits for the next frame.
function deferral.run_deferred()
  local rounds = 0
  while turns.deferrals > 0 do
    rounds = rounds + 1
    if rounds > DEFER_ROUNDS or budget.exhausted then
      return put_off(not budget.exhausted)
    end
    run_deferred_once()
    if turns.deferrals == 0 and endings[1] then
      run_endings()
    end
  end
end


return deferral
