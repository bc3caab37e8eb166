-- Makes changes of keys, each by itself or (ARGV[1] = "1") all or none.
--
-- KEYS[i] is the key of the i-th change, and six arguments describe it: "set" or "delete"; the guard,
-- which is "" (none), "m" (the key is missing) or "e" (it has this etag); the etag; the value; the
-- seconds to live, "p" for ever, or "" for as long as it has; and "1" for a first write.
--
-- Returns "" for each change that was made, "m" for one whose guard does not hold, and "v" for one
-- whose version cannot be counted on. All or none: only up to the first that is not "".

-- The version of each key after the changes so far: "" for a key without one, false for none.
local versions = {}

local function version_of(key)
  if versions[key] == nil then
    local version = redis.pcall("HGET", key, "version")
    if type(version) == "table" then
      version = ""
    elseif not version then
      version = redis.call("EXISTS", key) == 1 and ""
    end
    versions[key] = version
  end
  return versions[key]
end

local function argument(change, index)
  return ARGV[1 + (change - 1) * 6 + index]
end

local function verdict(change)
  local guard, version = argument(change, 2), version_of(KEYS[change])
  if guard == "m" and version then return "m" end
  if guard == "e" and version ~= argument(change, 3) then return "m" end
  local counts = not version or version == "" or string.match(version, "^-?%d+$")
  if argument(change, 1) == "set" and not counts then return "v" end
  return ""
end

-- What the version will be, for the guards of the changes behind this one.
local function foresee(change)
  local key = KEYS[change]
  if argument(change, 1) == "delete" then
    versions[key] = false
  else
    versions[key] = string.format("%.0f", (tonumber(versions[key] or "") or 0) + 1)
  end
end

local function make(change)
  local key, seconds = KEYS[change], argument(change, 5)
  if argument(change, 1) == "delete" then
    redis.call("DEL", key)
    return
  end
  if redis.call("TYPE", key).ok ~= "hash" then redis.call("DEL", key) end
  redis.call("HSET", key, "data", argument(change, 4))
  if argument(change, 6) == "1" then redis.call("HSET", key, "first-write", 0) end
  redis.call("HINCRBY", key, "version", 1)
  if seconds == "p" then
    redis.call("PERSIST", key)
  elseif seconds ~= "" then
    redis.call("EXPIRE", key, seconds)
  end
end

local all_or_none, verdicts = ARGV[1] == "1", {}
for change = 1, #KEYS do
  verdicts[change] = verdict(change)
  if verdicts[change] == "" then
    foresee(change)
    if not all_or_none then make(change) end
  elseif all_or_none then
    return verdicts
  end
end
if all_or_none then
  for change = 1, #KEYS do make(change) end
end
return verdicts
