-- Lua values that Python holds: an integer key stands for each.
-- Guarantee: a key is never used twice, so a stale one never answers for another value; an entity takes its values along, except
-- those that an open proxy reads.

local kept = { values = {} }

local next = next

local values, owners, leased, last = kept.values, {}, {}, 0


--- A new key for `value`, which belongs to the entity `id` (0: to the state). With `lease`, it outlives the entity.
function kept.keep(value, id, lease)
  last = last + 1
  values[last], owners[last] = value, id or 0
  if lease then
    leased[last] = true
  end
  return last
end


function kept.release(key)
  values[key], owners[key], leased[key] = nil, nil, nil
end


--- True for a key of an open proxy.
function kept.is_leased(key)
  return leased[key]
end


--- The entity that the value of `key` belongs to; nil for a key that is no more.
function kept.owner(key)
  return owners[key]
end


--- Let go of everything that belongs to the entity `id`.
function kept.leave(id)
  for key, owner in next, owners do
    if owner == id and not leased[key] then
      values[key], owners[key] = nil, nil
    end
  end
end


--- How many values are kept: in all, or for one entity.
function kept.count(id)
  local n = 0
  for _, owner in next, owners do
    if id == nil or owner == id then
      n = n + 1
    end
  end
  return n
end


return kept
