import { createHash } from 'node:crypto';

/** A Lua script: the server runs it as one step, and nobody sees anything in between. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

/**
 * KEYS[1] is the beginning of all keys of a store, from which the scripts make the rest: all lie in one slot of a cluster.
 *
 * - `objects`, a hash: for each key `version size chunkBytes modifiedMs`;
 * - `keys`, a sorted set: the same keys in their order, for listings;
 * - `fences`, a hash: the highest generation of each name;
 * - `v:<version>`, a hash: the chunks of one value by their number. Without an expiry once it is published;
 * - `r:<version>`: somebody reads this value at this time.
 */
const COMMON = `
local p = KEYS[1]
local function find(key)
  local meta = redis.call('HGET', p .. 'objects', key)
  if meta then return meta end
  if redis.call('ZSCORE', p .. 'keys', key) then return 'damaged' end
  return nil
end
local function versionOf(meta)
  return meta and string.match(meta, '^%S+')
end
local function retire(version, graceMs)
  local v = p .. 'v:' .. version
  if redis.call('EXISTS', p .. 'r:' .. version) == 1 then
    redis.call('PEXPIRE', v, graceMs)
  else
    redis.call('UNLINK', v)
  end
end
local function parts(version, chunkBytes, from, to)
  local v = p .. 'v:' .. version
  local found = {}
  local no = math.floor(from / chunkBytes)
  while no * chunkBytes < to do
    local bytes = redis.call('HGET', v, string.format('%d', no))
    if not bytes then return nil end
    local first = math.max(from - no * chunkBytes, 0)
    local last = math.min(to - no * chunkBytes, chunkBytes)
    if first > 0 or last < #bytes then bytes = string.sub(bytes, first + 1, last) end
    found[#found + 1] = bytes
    no = no + 1
  end
  return found
end
local function now()
  local time = redis.call('TIME')
  return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end
`;

/** ARGV: version, number, bytes, ms until an abandoned upload is gone. Answers `done` or `swept`. */
export const WRITE_CHUNK = scriptOf(`
local v = p .. 'v:' .. ARGV[1]
if ARGV[2] ~= '0' and redis.call('EXISTS', v) == 0 then return 'swept' end
redis.call('HSET', v, ARGV[2], ARGV[3])
redis.call('PEXPIRE', v, ARGV[4])
return 'done'
`);

/** ARGV: version of an upload that will never be published. */
export const DISCARD = scriptOf(`return redis.call('UNLINK', p .. 'v:' .. ARGV[1])`);

/**
 * ARGV: key, version, size, chunkBytes, chunks, ifAbsent, ifVersion (after a "="), fence name, generation (after a "+" if
 * it is new), ms for readers of the old value, then the bytes of a small value. Answers the outcome and its detail.
 */
export const PUBLISH = scriptOf(`
local key, version = ARGV[1], ARGV[2]
local old = find(key)
if old == 'damaged' then return {'damaged', ''} end
local current = versionOf(old)
if current == version then return {'done', string.match(old, '%S+$')} end
if ARGV[6] == '1' and old then return {'exists', ''} end
if ARGV[7] ~= '' and ARGV[7] ~= '=' .. (current or '') then
  return {old and 'changed' or 'gone', ''}
end
local v = p .. 'v:' .. version
local isInline = #ARGV > 10
if ARGV[5] ~= '0' and not isInline then
  local size = 0
  for no = 0, ARGV[5] - 1 do size = size + redis.call('HSTRLEN', v, string.format('%d', no)) end
  if size == 0 then return {'swept', ''} end
  if size ~= tonumber(ARGV[3]) then return {'torn', ''} end
end
if ARGV[9] ~= '' then
  local highest = redis.call('HGET', p .. 'fences', ARGV[8])
  local isNew, generation = string.match(ARGV[9], '^(%+?)(%d+)$')
  local least = tonumber(highest or '0') + (isNew == '+' and 1 or 0)
  if tonumber(generation) < least then return {'fenced', highest} end
  redis.call('HSET', p .. 'fences', ARGV[8], generation)
end
for index = 11, #ARGV do redis.call('HSET', v, string.format('%d', index - 11), ARGV[index]) end
redis.call('PERSIST', v)
local time = now()
redis.call('HSET', p .. 'objects', key, table.concat({version, ARGV[3], ARGV[4], time}, ' '))
redis.call('ZADD', p .. 'keys', 0, key)
if current then retire(current, ARGV[10]) end
return {'done', time}
`);

/**
 * ARGV: key, offset, length, most bytes of this answer, ifVersion (after a "="), ms for which the value is kept for this
 * reader. Answers `none`, `damaged`, or `found` with the entry and the first bytes.
 */
export const OPEN = scriptOf(`
local meta = find(ARGV[1])
if not meta then return {'none'} end
if meta == 'damaged' then return {'damaged'} end
local version, size, chunkBytes = string.match(meta, '^(%S+) (%S+) (%S+)')
if ARGV[5] ~= '' and ARGV[5] ~= '=' .. version then return {'found', meta} end
local from = math.min(tonumber(ARGV[2]), tonumber(size))
local to = math.min(from + tonumber(ARGV[3]), tonumber(size))
local enough = math.min(to, from + tonumber(ARGV[4]))
local found = parts(version, tonumber(chunkBytes), from, enough)
if not found then return {'damaged'} end
if enough < to then redis.pcall('SET', p .. 'r:' .. version, '1', 'PX', ARGV[6]) end
return {'found', meta, unpack(found)}
`);

/** ARGV: version, chunkBytes, from, to, ms for which the value is kept. Answers the bytes, or nothing where they are gone. */
export const READ_ON = scriptOf(`
local found = parts(ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]))
if not found then return {} end
local left = redis.call('PTTL', p .. 'v:' .. ARGV[1])
if left >= 0 and left < tonumber(ARGV[5]) then redis.pcall('PEXPIRE', p .. 'v:' .. ARGV[1], ARGV[5]) end
if left < 0 then redis.pcall('SET', p .. 'r:' .. ARGV[1], '1', 'PX', ARGV[5]) end
return found
`);

/** ARGV: key. */
export const HEAD = scriptOf(`
local meta = find(ARGV[1])
if not meta then return {'none'} end
if meta == 'damaged' then return {'damaged'} end
return {'found', meta}
`);

/** ARGV: prefix, the last key of the page before, most keys. Answers `found` and keys with their entries, or `damaged`. */
export const PAGE = scriptOf(`
local least = ARGV[2] ~= '' and '(' .. ARGV[2] or '[' .. ARGV[1]
if least == '[' then least = '-' end
local most = ARGV[1] ~= '' and '(' .. ARGV[1] .. '\\255' or '+'
local keys = redis.call('ZRANGEBYLEX', p .. 'keys', least, most, 'LIMIT', 0, ARGV[3])
local found = {'found'}
if #keys == 0 then return found end
local metas = redis.call('HMGET', p .. 'objects', unpack(keys))
for index, key in ipairs(keys) do
  if not metas[index] then return {'damaged', key} end
  found[#found + 1] = key
  found[#found + 1] = metas[index]
end
return found
`);

/** ARGV: ifVersion (after a "="), ms for readers, keys. Answers for each `deleted`, `none` or `changed`. */
export const REMOVE = scriptOf(`
local outcomes = {}
for index = 3, #ARGV do
  local key = ARGV[index]
  local meta = find(key)
  local current = versionOf(meta)
  if not meta then
    outcomes[#outcomes + 1] = 'none'
  elseif ARGV[1] ~= '' and ARGV[1] ~= '=' .. current then
    outcomes[#outcomes + 1] = 'changed'
  else
    redis.call('HDEL', p .. 'objects', key)
    redis.call('ZREM', p .. 'keys', key)
    retire(current, ARGV[2])
    outcomes[#outcomes + 1] = 'deleted'
  end
end
return outcomes
`);

function scriptOf(body: string): Script {
  const text = `${COMMON}${body}`;
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}
