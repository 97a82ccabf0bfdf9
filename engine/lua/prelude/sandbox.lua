-- What scripts can reach, beside their environments.
-- Guarantee: nothing here leads to files, processes, bytecode, the registry, or a Python object; what a script changes
-- in a library table is seen by that entity only.

local prelude = ...

local error, assert = error, assert
local get_class = debug.getmetatable

local sandbox = {
  on_class = nil, -- called with every table that a script gives a metatable
  on_raw = nil, -- function(table, key): a field is set past its metatable
  raised = nil, -- what `error` or `assert` raised last, where Lua does not leave it on the stack
  raise = nil, insist = nil, -- which see to that, in their place
}

-- Tail calls: LuaJIT blames the script all the same.
if jit then
  function sandbox.raise(value, level)
    sandbox.raised = value
    return error(value, level)
  end

  function sandbox.insist(value, ...)
    if not value then
      sandbox.raised = ...
    end
    return assert(value, ...)
  end
end

-- Methods of strings (`name:upper()`) are those of the library; no script can reach the table itself.
local methods = get_class("")
methods.__metatable = false
function methods.__index(_, name)
  methods.__index = prelude.files.methods(methods)
  return methods.__index[name]
end


return sandbox
