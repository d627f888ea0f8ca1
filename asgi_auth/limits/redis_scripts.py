"""The Lua scripts of `RedisCounters`. Each runs in one step; in a cluster, each call has one key."""

COUNT = """
    local now, count, expires_at = tonumber(ARGV[1]), 1, ARGV[1] + ARGV[2]
    local old = redis.call('HMGET', KEYS[1], 'count', 'expires_at')
    local ends_at = tonumber(old[2] or 0)
    if ends_at > now and ends_at <= expires_at + ARGV[3] then count, expires_at = old[1] + 1, ends_at end
    redis.call('HSET', KEYS[1], 'count', count, 'free_at', 0, 'expires_at', expires_at)
    redis.call('EXPIRE', KEYS[1], expires_at - now + ARGV[3])
    return {count, expires_at}
"""
#: ARGV: now, skew, the time of stale guesses, then seconds, the most, and 1 for a judged window, for each key.
LIMIT = """
    local now, ends = tonumber(ARGV[1]), {}
    for i, key in ipairs(KEYS) do
        local most, judged = tonumber(ARGV[3 * i + 2]), ARGV[3 * i + 3] == '1'
        local old = redis.call('HMGET', key, 'count', 'expires_at', 'flights', 'begun_at')
        local ends_at, latest = tonumber(old[2] or 0), now + ARGV[3 * i + 1] + ARGV[2]
        ends[i] = ends_at > now and ends_at <= latest and ends_at
        if ends[i] and tonumber(old[1]) >= most then return {i - 1, ends[i]} end
        if judged and old[4] and tonumber(old[4]) <= tonumber(ARGV[3]) then redis.call('HDEL', key, 'flights') end
        local flights = tonumber(redis.call('HGET', key, 'flights') or 0)
        if judged and ends[i] and tonumber(old[1]) + flights >= most then return {i - 1, now} end
    end
    for i, key in ipairs(KEYS) do
        if not ends[i] then
            redis.call('HSET', key, 'count', 0, 'free_at', 0, 'expires_at', now + ARGV[3 * i + 1], 'flights', 0)
            redis.call('EXPIRE', key, ARGV[3 * i + 1] + ARGV[2])
        end
        if ARGV[3 * i + 3] == '1' then
            redis.call('HINCRBY', key, 'flights', 1)
            redis.call('HSET', key, 'begun_at', now)
        else
            redis.call('HINCRBY', key, 'count', 1)
        end
    end
    return false
"""
#: ARGV: now, and 1 for a wrong guess.
SETTLE = """
    for _, key in ipairs(KEYS) do
        local old = redis.call('HMGET', key, 'expires_at', 'flights')
        if old[1] and tonumber(old[1]) > tonumber(ARGV[1]) then
            local flights = tonumber(old[2] or 0)
            if flights > 0 then flights = redis.call('HINCRBY', key, 'flights', -1) end
            if redis.call('HINCRBY', key, 'count', ARGV[2]) == 0 and flights <= 0 then redis.call('DEL', key) end
        end
    end
"""
#: ARGV: now, skew, the time of stale guesses, after, memory. Returns -1 for guesses in flight.
BEGIN_GUESS = """
    local now, after, count, flights, free_at = tonumber(ARGV[1]), tonumber(ARGV[4]), 0, 0, 0
    local old = redis.call('HMGET', KEYS[1], 'count', 'expires_at', 'free_at', 'flights', 'begun_at')
    if old[2] and tonumber(old[2]) > now and tonumber(old[2]) <= now + ARGV[5] + ARGV[2] then
        count, free_at = tonumber(old[1]), tonumber(old[3])
        if free_at > now then return free_at - now end
        if old[5] and tonumber(old[5]) > tonumber(ARGV[3]) then flights = tonumber(old[4]) end
        if flights >= math.max(1, after - count) then return -1 end
    end
    redis.call('HSET', KEYS[1], 'count', count, 'free_at', free_at, 'expires_at', now + ARGV[5],
        'flights', flights + 1, 'begun_at', now)
    redis.call('EXPIRE', KEYS[1], ARGV[5] + ARGV[2])
    return 0
"""
#: ARGV: now, skew, after, memory, 1 for a wrong guess, the number of forgiven guesses, pause, longest.
END_GUESS = """
    local now, after, count, flights = tonumber(ARGV[1]), tonumber(ARGV[3]), 0, 0
    local old = redis.call('HMGET', KEYS[1], 'count', 'expires_at', 'free_at', 'flights')
    local live = old[2] and tonumber(old[2]) > now and tonumber(old[2]) <= now + ARGV[4] + ARGV[2]
    if live then count, flights = tonumber(old[1]), math.max(0, tonumber(old[4] or 0) - 1) end
    if ARGV[5] == '1' then
        count = count + 1
        local wait = 0
        if count >= after then wait = math.min(ARGV[7] * 2 ^ math.min(count - after, 64), tonumber(ARGV[8])) end
        redis.call('HSET', KEYS[1], 'count', count, 'free_at', wait > 0 and now + wait or 0,
            'expires_at', now + ARGV[4], 'flights', flights)
        redis.call('EXPIRE', KEYS[1], ARGV[4] + ARGV[2])
        return count
    elseif live then
        count = math.max(0, count - ARGV[6])
        redis.call('HSET', KEYS[1], 'count', count, 'flights', flights)
        if count < after then redis.call('HSET', KEYS[1], 'free_at', 0) end
    end
    return 0
"""
#: ARGV: now, and 1 for a judged window. Undoes `LIMIT` for a key, where another key refused the call.
TAKE_BACK = """
    local old = redis.call('HMGET', KEYS[1], 'expires_at', 'count', 'flights')
    if old[1] and tonumber(old[1]) > tonumber(ARGV[1]) then
        local field = ARGV[2] == '1' and 'flights' or 'count'
        local counted = {count = tonumber(old[2] or 0), flights = tonumber(old[3] or 0)}
        if counted[field] > 0 then counted[field] = redis.call('HINCRBY', KEYS[1], field, -1) end
        if counted.count <= 0 and counted.flights <= 0 then redis.call('DEL', KEYS[1]) end
    end
"""
