#!/usr/bin/env python3
"""Reads a Howdah repository by docs/internals/repository.md alone: Python 3, its cryptography package and the zstd program.

  restore.py REPOSITORY [--key-file FILE | --passphrase-file FILE] list
  restore.py REPOSITORY [...] restore CLUSTER ID FOLDER
  restore.py REPOSITORY [...] wal CLUSTER SEGMENT FILE
"""
import argparse
import base64
import hashlib
import hmac
import json
import os
import struct
import subprocess
import sys

FRAME = 262144
DIRECTORY = 0xFFFFFFFF
KINDS = {"pack": 1, "root": 2, "tree": 3, "map": 4, "wal": 5, "history": 6, "lease": 7, "event": 8, "ledger": 9, "doomed": 10}
M64 = (1 << 64) - 1
M128 = (1 << 128) - 1


class Damaged(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Damaged(what)


# --- XXH3-128 with its default secret: what stands in for a cipher's tag in a repository without encryption -------------------------
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64_1, P64_2, P64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P64_4, P64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def read64(data, at):
    return int.from_bytes(data[at:at + 8], "little")


def avalanche(value):
    value ^= value >> 37
    value = value * 0x165667919E3779F9 & M64
    return value ^ value >> 32


def fold(a, b):
    product = a * b
    return (product ^ product >> 64) & M64


def mix16(data, at, secret_at):
    return fold(read64(data, at) ^ read64(SECRET, secret_at), read64(data, at + 8) ^ read64(SECRET, secret_at + 8))


def mix32(low, high, data, first, second, secret_at):
    low = (low + mix16(data, first, secret_at) & M64) ^ (read64(data, second) + read64(data, second + 8) & M64)
    high = (high + mix16(data, second, secret_at + 16) & M64) ^ (read64(data, first) + read64(data, first + 8) & M64)
    return low, high


def finish_medium(low, high, length):
    result_low = avalanche(low + high & M64)
    result_high = avalanche(low * P64_1 + high * P64_4 + length * P64_2 & M64)
    return (-result_high & M64) << 64 | result_low


def xxh3_17_to_128(data):
    length = len(data)
    low, high = length * P64_1 & M64, 0
    for i in range((length - 1) // 32, -1, -1):
        low, high = mix32(low, high, data, 16 * i, length - 16 * (i + 1), 32 * i)
    return finish_medium(low, high, length)


def xxh3_129_to_240(data):
    length = len(data)
    low, high = length * P64_1 & M64, 0
    for i in range(4):
        low, high = mix32(low, high, data, 32 * i, 32 * i + 16, 32 * i)
    low, high = avalanche(low), avalanche(high)
    for i in range(4, length // 32):
        low, high = mix32(low, high, data, 32 * i, 32 * i + 16, 3 + 32 * (i - 4))
    low, high = mix32(low, high, data, length - 16, length - 32, 136 - 17 - 16)
    return finish_medium(low, high, length)


def accumulate(lanes, stripe, secret):
    for i in range(8):
        value = stripe[i]
        key = value ^ secret[i]
        lanes[i ^ 1] = lanes[i ^ 1] + value & M64
        lanes[i] = lanes[i] + (key & 0xFFFFFFFF) * (key >> 32) & M64


def merge(lanes, secret_at, start):
    for i in range(4):
        start += fold(lanes[2 * i] ^ read64(SECRET, secret_at + 16 * i), lanes[2 * i + 1] ^ read64(SECRET, secret_at + 16 * i + 8))
    return avalanche(start & M64)


def xxh3_long(data):
    length = len(data)
    lanes = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1]
    secrets = [struct.unpack_from("<8Q", SECRET, 8 * i) for i in range(16)]
    scramble = struct.unpack_from("<8Q", SECRET, 128)
    stripes = (length - 1) // 64
    for number in range(stripes):
        accumulate(lanes, struct.unpack_from("<8Q", data, 64 * number), secrets[number % 16])
        if number % 16 == 15:
            for i in range(8):
                lanes[i] = ((lanes[i] ^ lanes[i] >> 47) ^ scramble[i]) * P32_1 & M64
    accumulate(lanes, struct.unpack_from("<8Q", data, length - 64), struct.unpack_from("<8Q", SECRET, 192 - 64 - 7))
    low = merge(lanes, 11, length * P64_1 & M64)
    high = merge(lanes, 192 - 64 - 11, ~(length * P64_2) & M64)
    return high << 64 | low


def xxh3_128(data):
    """Only for more than 16 bytes: associated data alone is longer."""
    value = xxh3_17_to_128(data) if len(data) <= 128 else xxh3_129_to_240(data) if len(data) <= 240 else xxh3_long(data)
    return value.to_bytes(16, "big")


# --- Keys -----------------------------------------------------------------------------------------------------------------------------
def hkdf(secret, salt, info, length=32):
    extracted = hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(extracted, block + info.encode() + bytes([counter]), hashlib.sha256).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def aes_open(key, nonce, sealed, associated):
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except InvalidTag:
        return None


def zstd(data, length):
    done = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True)
    need(done.returncode == 0 and len(done.stdout) == length, "a frame does not unpack")
    return done.stdout


class Varints:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(self.at + count <= len(self.data), "a document ends too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def byte(self):
        return self.take(1)[0]

    def number(self):
        value = shift = 0
        while True:
            part = self.byte()
            value |= (part & 127) << shift
            shift += 7
            if part < 128:
                return value

    def string(self):
        return self.take(self.number())


class Repository:
    def __init__(self, root, key_file, passphrase_file):
        self.root = root
        line = self.raw("repository")
        marker = json.loads(line)
        need(marker["howdah"] == "repository" and marker["format"] == 1, "not a repository of format 1")
        self.id = marker["id"]
        self.encrypted = marker["sealing"] == "aes-256-gcm"
        if self.encrypted:
            self.key = self.unlock(key_file, passphrase_file)
        else:
            self.key = hashlib.sha256(b"howdah unencrypted " + self.id.encode()).digest()
        body, tag = line.rsplit(b',"tag":"', 1)
        expected = hmac.new(hkdf(self.key, b"", "howdah/1/slots"), b"repository\0" + body, hashlib.sha256).hexdigest()
        need(tag == expected.encode() + b'"}\n', "the marker does not authenticate")

    def raw(self, name):
        with open(os.path.join(self.root, name), "rb") as handle:
            return handle.read()

    def has(self, name):
        return os.path.exists(os.path.join(self.root, name))

    def names(self, prefix):
        return sorted(os.listdir(os.path.join(self.root, prefix)))

    def unlock(self, key_file, passphrase_file):
        for name in self.names("key"):
            slot = json.loads(self.raw("key/" + name))
            salt, nonce, wrapped = (bytes.fromhex(slot[key]) for key in ("salt", "nonce", "wrapped"))
            if slot["kind"] == "file" and key_file:
                with open(key_file, "rb") as handle:
                    wrapping = hkdf(base64.b64decode(handle.read().strip()), salt, "howdah/1/slot")
            elif slot["kind"] == "passphrase" and passphrase_file:
                with open(passphrase_file, "rb") as handle:
                    cost = slot["scrypt"]
                    wrapping = hashlib.scrypt(handle.read().rstrip(b"\r\n"), salt=salt, n=cost["n"], r=cost["r"], p=cost["p"], dklen=32, maxmem=1 << 30)
            else:
                continue
            key = aes_open(wrapping, nonce, wrapped, f"{self.id}\0{slot['slot']}".encode())
            if key:
                return key
        raise Damaged("no key slot opens")

    def open(self, name, kind):
        return Object(self, name, kind)

    def document(self, name, kind):
        found = self.open(name, kind)
        return b"".join(found.frame(i) for i, frame in enumerate(found.frames) if frame[4] == 0)


class Object:
    def __init__(self, repository, name, kind):
        self.name, self.encrypted = name, repository.encrypted
        self.data = repository.raw(name)
        self.header = self.data[:48]
        expected = b"HOWDAH" + struct.pack("<HBB", 1, KINDS[kind], 1 if self.encrypted else 0) + bytes(6)
        need(self.header[:16] == expected, f"{name}: not such an object")
        self.key = hkdf(repository.key, self.header[16:], "howdah/1/" + kind)
        offset, stored, plain, length, magic = struct.unpack("<QIIQ8s", self.data[-32:])
        need(magic == b"HOWDAHEN" and length == len(self.data), f"{name}: cut or lengthened")
        reader = Varints(zstd(self.unseal(DIRECTORY, offset, stored), plain))
        self.frames, at = [], 48
        for _ in range(reader.number()):
            stored, plain, codec, frame_class = reader.number(), reader.number(), reader.byte(), reader.byte()
            self.frames.append((at, stored, plain, codec, frame_class))
            at += stored
        need(at == offset and reader.at == len(reader.data), f"{name}: frames do not fill it")

    def unseal(self, number, offset, stored):
        sealed = self.data[offset:offset + stored]
        need(len(sealed) == stored and stored >= 16, f"{self.name}: frame {number} is cut")
        associated = (b"howdah frame" + self.header + struct.pack("<IQIB", number, offset, stored - 16, number == DIRECTORY) + self.name.encode())
        if self.encrypted:
            plain = aes_open(self.key, number.to_bytes(12, "big"), sealed, associated)
            need(plain is not None, f"{self.name}: frame {number} does not authenticate")
            return plain
        need(xxh3_128(associated + sealed[:-16]) == sealed[-16:], f"{self.name}: frame {number} does not authenticate")
        return sealed[:-16]

    def frame(self, number):
        offset, stored, plain, codec, _ = self.frames[number]
        opened = self.unseal(number, offset, stored)
        need(codec in (0, 1), f"{self.name}: codec {codec}")
        return opened if codec == 0 else zstd(opened, plain)


def read_packs(reader):
    return [reader.take(16).hex() for _ in range(reader.number())]


def read_extents(reader, count, packs):
    extents = []
    for _ in range(count):
        length, reference = reader.number(), reader.number()
        extents.append((length, packs[reference - 1], reader.number(), reader.number()) if reference else (length, None, 0, 0))
    return extents


class Backup:
    def __init__(self, repository, area):
        self.repository, self.area, self.cache = repository, area, {}

    def content(self, kind, name):
        return self.repository.document(f"{self.area}/{kind}/{name[:2]}/{name}", kind)

    def lowest_generation(self, name):
        names = [name] + [f"{name}.{number:02}" for number in range(1, 100)]
        return next((each for each in names if self.repository.has(each)), name)

    def frame(self, pack, number):
        if pack not in self.cache:
            self.cache = {pack: (self.repository.open(self.lowest_generation(f"{self.area}/pack/{pack[:2]}/{pack}"), "pack"), {})}
        found, frames = self.cache[pack]
        if number not in frames:
            frames[number] = found.frame(number)
        return frames[number]

    def run(self, extent):
        left, pack, frame, position = extent
        if pack is None:
            yield bytes(left)
            return
        while left:
            part = self.frame(pack, frame)[position:position + left]
            need(part, f"pack {pack} has no such bytes")
            yield part
            left -= len(part)
            need(not left or position + len(part) == FRAME, "an extent goes through a frame that is not full")
            frame, position = frame + 1, 0

    def extents(self, name):
        reader = Varints(self.content("map", name))
        need(reader.take(5) == b"HMAP\x01", "not a map")
        packs = read_packs(reader)
        return read_extents(reader, reader.number(), packs)

    def entries(self, name):
        reader = Varints(self.content("tree", name))
        need(reader.take(6) == b"HTREE\x01", "not a tree")
        packs = read_packs(reader)
        for _ in range(reader.number()):
            path, kind = os.fsdecode(reader.string()), reader.byte()
            mode, size, time = reader.number(), reader.number(), reader.number()
            target, extents = None, []
            if kind == 2:
                target = os.fsdecode(reader.string())
            if kind == 0:
                count = reader.number()
                if count:
                    extents = read_extents(reader, count, packs)
                else:
                    named = reader.string().decode()
                    extents = self.extents(named) if named else []
                for _ in range(reader.number()):
                    reader.number(), reader.take(4)
            yield path, kind, mode, size, target, extents
        need(reader.at == len(reader.data), "bytes follow a tree's end")

    def restore(self, root, folder):
        for tree in root["trees"]:
            # Paths of the host go to a folder beside the data directory: in it, none of its own can be in the way.
            top = folder + "-outside" if tree["root"] == "/" else os.path.join(folder, tree["root"])
            for path, kind, mode, size, target, extents in self.entries(tree["name"]):
                place = os.path.join(top, path) if path else top
                os.makedirs(place if kind == 1 else os.path.dirname(place), exist_ok=True)
                if kind == 2:
                    os.symlink(target, place)
                if kind == 0:
                    with open(place, "xb") as handle:
                        for extent in extents:
                            for part in self.run(extent):
                                handle.write(part)
                        need(handle.tell() == size, f"{place}: {handle.tell()} bytes instead of {size}")
                    os.chmod(place, mode)


def areas(repository):
    if not os.path.isdir(os.path.join(repository.root, "cluster")):
        return
    for cluster in repository.names("cluster"):
        for system in repository.names("cluster/" + cluster):
            yield cluster, f"cluster/{cluster}/{system}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("repository")
    parser.add_argument("--key-file")
    parser.add_argument("--passphrase-file")
    parser.add_argument("command", choices=["list", "restore", "wal"])
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    repository = Repository(options.repository, options.key_file, options.passphrase_file)
    for cluster, area in areas(repository):
        if options.command == "list" and os.path.isdir(f"{options.repository}/{area}/backup"):
            for name in repository.names(area + "/backup"):
                root = json.loads(repository.document(f"{area}/backup/{name}", "root"))
                print(cluster, root["id"], root["type"], root["start"], root["stop_time"])
        elif options.command == "restore" and options.arguments[0] == cluster and os.path.exists(f"{options.repository}/{area}/backup/{options.arguments[1]}"):
            root = json.loads(repository.document(f"{area}/backup/{options.arguments[1]}", "root"))
            Backup(repository, area).restore(root, options.arguments[2])
            return 0
        elif options.command == "wal" and options.arguments[0] == cluster:
            segment = options.arguments[1]
            name = f"{area}/wal/{segment[:8]}/{segment[8:16]}/{segment}"
            if os.path.exists(f"{options.repository}/{name}"):
                with open(options.arguments[2], "xb") as handle:
                    handle.write(repository.document(name, "wal"))
                return 0
    return 0 if options.command == "list" else "not found"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Damaged as damage:
        sys.exit(f"damaged: {damage}")
