import { scriptOf } from './server.js';
import { BASE, UPKEEP } from './upkeep-script.js';

/** What is asked about accounts, and how those of a user are removed. See upkeep-script.ts. */

/** ARGV: budget and start of the period, the name to go on after, how many. Names and what they hold. */
export const ACCOUNTS = scriptOf(String.raw`
${BASE}
${UPKEEP}
local k = call('HGET', state, 'k')
if k and tonumber(k) <= now then
  call('HSET', state, 'k', k)
  call('HSET', state, 'k', format('%.0f', tend(nil)))
end
local from = ARGV[2] == '' and '[a' .. ARGV[1] .. '\n' or '(a' .. ARGV[2]
local names = call('ZRANGEBYLEX', index, from, '(a' .. ARGV[1] .. '\11', 'LIMIT', 0, ARGV[3])
if #names == 0 then return { names, names } end
return { names, call('HMGET', state, unpack(names)) }
`);

/** ARGV: scope. Removes some accounts of a user: says how many, and how many corrections. */
export const FORGET = scriptOf(String.raw`
${BASE}
${UPKEEP}
local entries = between('u' .. ARGV[1], 200)
for _, entry in ipairs(entries) do removeAccount(string.sub(entry, #ARGV[1] + 3)) end
local gone = 0
for _, entry in ipairs(call('LRANGE', log, 0, -1)) do
  local scope, personal = match(entry, '^[^\n]*\n[^\n]*\n([^\n]*)\n([^\n]*)\n')
  if scope == ARGV[1] and personal == '1' then gone = gone + call('LREM', log, 1, entry) end
end
return { #entries, gone }
`);
