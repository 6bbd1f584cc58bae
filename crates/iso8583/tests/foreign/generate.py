#!/usr/bin/env python3
"""Writes the fixtures of tests/foreign.rs: specifications and messages that pyiso8583 encoded.

Run it with pyiso8583 installed (pip install pyiso8583==4.0.1): python3 generate.py
The tests read what it wrote and need no Python. A number as argument makes so many random
specifications (12 without).

nested.jsonl holds, for one message layout, a frame and the expected value of every field; the
layout is described three times, as pyiso8583.json (written here), moov.json and jpos.xml (by hand).
random.jsonl holds random specifications of pyiso8583, each with messages and their values.
"""

import json
import random
import sys
from pathlib import Path

import iso8583

HERE = Path(__file__).parent


def field(data_enc, len_enc, len_type, max_len, desc, **more):
    return dict(data_enc=data_enc, len_enc=len_enc, len_type=len_type, max_len=max_len, desc=desc, **more)


def bcd(digits, desc, **more):
    return field("b", "ascii", 0, digits, desc, len_count="nibbles", **more)


# One layout with packed digits, ASCII, EBCDIC, nested and tagged fields.
NESTED = {
    "h": field("b", "ascii", 0, 0, "No header"),
    "t": field("b", "ascii", 0, 2, "Message type"),
    "p": field("b", "ascii", 0, 8, "Bitmap"),
    "1": field("b", "ascii", 0, 8, "Second bitmap"),
    "2": field("b", "bcd", 1, 19, "Primary account number", len_count="nibbles", right_pad="0"),
    "3": bcd(6, "Processing code"),
    "4": bcd(12, "Amount"),
    "11": bcd(6, "Trace number"),
    "22": bcd(3, "Entry mode", left_pad="0"),
    "32": field("ascii", "ascii", 2, 11, "Acquirer"),
    "35": field("b", "b", 1, 37, "Track 2", len_count="nibbles", right_pad="0"),
    "37": field("ascii", "ascii", 0, 12, "Reference number"),
    "39": field("cp500", "ascii", 0, 2, "Response code"),
    "41": field("cp500", "ascii", 0, 8, "Terminal"),
    "43": field("ascii", "ascii", 0, 40, "Name and place"),
    "44": field("cp500", "cp500", 2, 25, "Additional response data"),
    "48": field("b", "ascii", 3, 999, "Tagged data"),
    "52": field("b", "ascii", 0, 8, "PIN block"),
    "55": field("b", "b", 2, 255, "Chip data"),
    "60": field("b", "bcd", 2, 999, "Parts of several kinds"),
    "63": field("b", "ascii", 3, 255, "Parts by bitmap"),
    "90": field("ascii", "ascii", 0, 42, "Original data"),
    "123": field("cp500", "b", 1, 100, "Tagged EBCDIC"),
    "128": field("b", "ascii", 0, 8, "MAC"),
}


def tagged(tags, encoding, digits=2):
    return b"".join(
        (tag + str(len(value)).zfill(digits) + value).encode(encoding) for tag, value in tags.items()
    )


def ber(tags):
    out = b""
    for tag, value in tags.items():
        raw = bytes.fromhex(value)
        size = bytes([len(raw)]) if len(raw) < 128 else bytes([0x81, len(raw)])
        out += bytes.fromhex(tag) + size + raw
    return out


def digits(rng, count):
    return "".join(rng.choice("0123456789") for _ in range(count))


def letters(rng, count):
    return "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789 .-") for _ in range(count))


def nested_message(rng, mti):
    """Values by place, and the same as pyiso8583 takes them."""
    flat = {"t": mti}
    expect = {}

    def put(key, value):
        flat[key] = value
        expect[key] = value

    put("2", "999999" + digits(rng, rng.choice([10, 13])))
    put("3", digits(rng, 6))
    put("4", digits(rng, 12))
    put("11", digits(rng, 6))
    put("22", digits(rng, 3))
    put("32", digits(rng, rng.randint(1, 11)))
    track = expect["2"] + "D" + digits(rng, rng.choice([7, 8, 15]))
    flat["35"], expect["35"] = track, track.replace("D", "=")
    put("37", letters(rng, 12))
    put("39", letters(rng, 2))
    put("41", letters(rng, 8))
    name, city, country = letters(rng, 25), letters(rng, 13), letters(rng, 2)
    flat["43"] = name + city + country
    expect["43.1"], expect["43.2"], expect["43.3"] = name, city, country
    put("44", letters(rng, rng.randint(0, 25)))
    tags = {tag: letters(rng, rng.randint(0, 20)) for tag in rng.sample(["01", "02", "26", "95"], rng.randint(1, 4))}
    flat["48"] = tagged(tags, "ascii").hex().upper()
    expect.update({f"48.{tag}": value for tag, value in tags.items()})
    put("52", rng.randbytes(8).hex().upper())
    chip = {"9F02": rng.randbytes(6).hex().upper(), "9F26": rng.randbytes(8).hex().upper(), "95": "0000008000"}
    if rng.random() < 0.5:
        chip["9F10"] = rng.randbytes(rng.randint(7, 140)).hex().upper()
    flat["55"] = ber(chip).hex().upper()
    expect.update({f"55.{tag}": value for tag, value in chip.items()})
    batch, operator, note = digits(rng, 6), digits(rng, 3), letters(rng, rng.randint(0, 9))
    inner, last = letters(rng, 4), rng.randbytes(3).hex().upper()
    flat["60"] = (
        bytes.fromhex(batch).hex()
        + "0"
        + operator
        + (bytes([len(note)]) + note.encode("cp500")).hex()
        + ("06" + inner[:1] + inner[1:] + "42").encode("ascii").hex()
        + last
    ).upper()
    expect.update({"60.1": batch, "60.2": operator, "60.3": note, "60.5": last})
    expect.update({"60.4.1": inner, "60.4.2": "42"})
    present = sorted(rng.sample([2, 3, 7, 16], rng.randint(1, 4)))
    bits = bytearray(2)
    body = b""
    for number in present:
        bits[(number - 1) // 8] |= 0x80 >> (number - 1) % 8
        value = {2: letters(rng, 3), 3: digits(rng, 4), 7: letters(rng, rng.randint(1, 9)), 16: digits(rng, 2)}[number]
        if number == 3:
            body += bytes.fromhex(value)
        elif number == 7:
            body += (str(len(value)) + value).encode("ascii")
        else:
            body += value.encode("ascii")
        expect[f"63.{number}"] = value
    flat["63"] = (bytes(bits) + body).hex().upper()
    put("90", digits(rng, 42))
    tags = {tag: letters(rng, rng.randint(0, 15)) for tag in rng.sample(["001", "017", "112"], rng.randint(1, 3))}
    flat["123"] = tagged(tags, "cp500", 3).decode("cp500")
    expect.update({f"123.{tag}": value for tag, value in tags.items()})
    put("128", rng.randbytes(8).hex().upper())
    for key in [key for key in flat if key != "t" and rng.random() < 0.2]:
        del flat[key]
        for place in [place for place in expect if place.split(".")[0] == key]:
            del expect[place]
    return flat, expect


def random_field(rng, number):
    """A random field: what pyiso8583 can say of one."""
    data = rng.choice(["b", "b", "ascii", "ascii", "cp500", "cp037", "latin-1", "cp1140"])
    kind = rng.choice(["fixed", "ascii", "bcd", "b", "cp500"])
    counts = rng.choice(["bytes", "nibbles"] if data == "b" else ["bytes", "bytes", "bytes", "nibbles"])
    out = {"data_enc": data, "len_enc": "ascii", "len_type": 0, "len_count": counts, "desc": f"Field {number}"}
    if kind == "fixed":
        out["max_len"] = rng.choice([1, 2, 3, 6, 8, 12, 15, 40])
    else:
        out["len_enc"] = kind
        out["len_type"] = rng.choice({"ascii": [1, 2, 3, 4], "cp500": [1, 2, 3], "bcd": [1, 2, 3], "b": [1, 2, 3]}[kind])
        room = {"ascii": 10, "cp500": 10, "bcd": 100, "b": 256}[kind] ** out["len_type"] - 1
        out["max_len"] = min(room, rng.choice([5, 19, 37, 99, 200, 255, 999]))
    if counts == "nibbles" and data != "b":
        out["max_len"] -= out["max_len"] % 2
        out["max_len"] = out["max_len"] or 2
    elif counts == "nibbles":
        out[rng.choice(["left_pad", "right_pad"])] = rng.choice("0F9")
    return out


def random_value(rng, spec):
    count = spec["max_len"] if spec["len_type"] == 0 else rng.randint(0, min(spec["max_len"], 60))
    if spec["data_enc"] == "b":
        nibbles = count if spec["len_count"] == "nibbles" else count * 2
        alphabet = rng.choice(["0123456789", "0123456789ABCDEF"])
        return "".join(rng.choice(alphabet) for _ in range(nibbles))
    return letters(rng, count // 2 if spec["len_count"] == "nibbles" else count)


def random_spec(rng):
    text = rng.choice(["ascii", "cp500", "cp037"])
    spec = {
        "h": field("b", "ascii", 0, rng.choice([0, 0, 5, 11]), "Header"),
        "t": field(rng.choice(["b", text]), "ascii", 0, 4, "Message type"),
        "p": field(rng.choice(["b", text]), "ascii", 0, 16, "Bitmap"),
    }
    spec["1"] = dict(spec["p"])
    numbers = rng.sample([number for number in range(2, 193) if number not in (65, 129)], 40)
    spec.update({str(number): random_field(rng, number) for number in sorted(numbers)})
    return spec


def main():
    rng = random.Random(8583)
    (HERE / "pyiso8583.json").write_text(json.dumps(NESTED, indent=1) + "\n")
    with open(HERE / "nested.jsonl", "w") as out:
        for _ in range(40):
            flat, expect = nested_message(rng, rng.choice(["0100", "0210", "0420", "0800"]))
            frame, _ = iso8583.encode(dict(flat), NESTED)
            flat.pop("t")
            line = {"mti": frame[:2].hex(), "frame": frame.hex(), "flat": flat, "parts": expect}
            out.write(json.dumps(line) + "\n")
    with open(HERE / "random.jsonl", "w") as out:
        for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 12):
            spec = random_spec(rng)
            out.write(json.dumps({"spec": spec}) + "\n")
            for _ in range(5):
                numbers = rng.sample([key for key in spec if key.isdigit() and key != "1"], rng.randint(1, 12))
                values = {key: random_value(rng, spec[key]) for key in sorted(numbers, key=int)}
                message = {"t": rng.choice(["0100", "1200", "2420", "0810"]), **values}
                if spec["h"]["max_len"]:
                    message["h"] = rng.randbytes(spec["h"]["max_len"]).hex().upper()
                mti = message["t"]
                frame, _ = iso8583.encode(message, spec)
                out.write(json.dumps({"mti": mti, "frame": frame.hex(), "values": values}) + "\n")


if __name__ == "__main__":
    main()
