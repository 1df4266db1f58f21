# Runs one program in a Debian guest, and says last what came of it and how much work it was: answer CHECK WORK.
# What takes a fixed time has the work that it did; what does fixed work has 1. Read by busybox's shell.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root LC_ALL=C
cd /tmp
answer() {
    echo "answer $1 $2"
}
checksum() {
    md5sum | cut -c 1-8
}
# of an algorithm with several parts, such as signing and verifying, only the first
speed() {
    rm -f lines
    mkfifo lines
    openssl speed -mr -seconds 3 "$@" >lines 2>&1 &
    work=$(sed -n '/^+R/{s/^+R[^:]*:\([0-9]*\):.*/\1/p;q}' lines)
    kill $! 2>/dev/null
    wait
    answer - "${work:-0}"
}
interpreted() {
    python3 - <<'PYTHON'
import json, re, zlib

def body(n):
    x, v = 1.0, 0.0
    for i in range(n):
        v -= x * 0.01
        x += v * 0.01
    return "%.12f" % x

def sieve(n):
    prime = bytearray([1]) * n
    for i in range(2, int(n ** 0.5) + 1):
        if prime[i]:
            prime[i * i::i] = bytes(len(range(i * i, n, i)))
    return sum(prime) - 2

class Node:
    def __init__(self, left, right):
        self.left, self.right = left, right

def tree(depth):
    return Node(tree(depth - 1), tree(depth - 1)) if depth else None

def count(node):
    return 1 + count(node.left) + count(node.right) if node else 0

words = [("w%d" % (i * 7919 % 5003)) for i in range(30000)]
number = {}
for word in words:
    number[word] = number.get(word, 0) + 1
text = json.dumps({"words": words, "number": number}, sort_keys=True)
found = [
    body(150000), sieve(300000), count(tree(13)), len(sorted(words, key=lambda w: w[::-1])),
    len(re.findall(r"w(\d)\d*\1\b", text)), zlib.crc32(json.dumps(json.loads(text)).encode()),
    3 ** 9000 % 1000007,
]
print(zlib.crc32(repr(found).encode()))
PYTHON
}
database() {
    rm -f test.db
    sqlite3 test.db "create table t(a integer primary key, b text, c real);
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)
        insert into t select i, hex(i * i), i / 8.0 from n;
        create index by_b on t(b); delete from t where a % 3 = 0; update t set c = c + 1 where b like '3%';
        select count(*), sum(a), sum(c), max(b) from t;
        select count(*) from t x join t y on y.b = hex(x.a * 4); vacuum; pragma integrity_check;"
}
children() {
    i=0
    while [ $i -lt 500 ]; do
        /bin/busybox true || return
        i=$((i + 1))
    done
    echo $i
}
case $1 in
core) answer "$(/tmp/core)" 1 ;;
sha256) speed -bytes 16384 sha256 ;;
aes-128-gcm) speed -bytes 16384 -evp aes-128-gcm ;;
chacha20) speed -bytes 16384 -evp chacha20-poly1305 ;;
rsa2048) speed rsa2048 ;;
ecdsap256) speed ecdsap256 ;;
gzip) answer "$(gzip -nc /usr/bin/python3.11 | checksum)" 1 ;;
gunzip)
    [ -f fixed.gz ] || gzip -nc1 /usr/bin/python3.11 >fixed.gz
    answer "$(gzip -dc fixed.gz | checksum)" 1
    ;;
python3) answer "$(interpreted)" 1 ;;
sqlite) answer "$(database | checksum)" 1 ;;
sort) answer "$(od -An -v -t u4 -w4 -N 600000 /usr/bin/python3.11 | sort -n | uniq -c | checksum)" 1 ;;
children) answer "$(children)" 1 ;;
esac
