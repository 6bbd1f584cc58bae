"""Payments that pyiso8583 writes and reads, through a gateway: python_client.py HOST PORT COUNT.

The specification below was written for this test from public descriptions of the terminal dialect; it shares nothing
with the dialect files of the product. Prints one JSON line a reply.
"""

import json
import socket
import struct
import sys

import iso8583


def field(data_enc, len_type, max_len, count="bytes", **pad):
    return {"data_enc": data_enc, "len_enc": "bcd", "len_type": len_type, "max_len": max_len, "len_count": count,
            "desc": "", **pad}


def digits(length, **pad):
    return field("b", 0, length, "nibbles", **pad)


def spec():
    fields = {str(number): field("ascii", 2, 999) for number in range(2, 129)}
    fields["h"] = field("b", 0, 11)
    fields["t"] = field("b", 0, 2)
    fields["p"] = field("b", 0, 8)
    fields["1"] = field("b", 0, 8)
    fields["2"] = field("b", 1, 19, "nibbles", right_pad="0")
    for number, length in {3: 6, 4: 12, 11: 6, 12: 6, 13: 4, 14: 4, 15: 4, 25: 2, 26: 2, 53: 16}.items():
        fields[str(number)] = digits(length)
    fields["22"] = digits(3, right_pad="0")
    fields["23"] = digits(3, left_pad="0")
    fields["32"] = field("b", 1, 11, "nibbles", right_pad="0")
    fields["35"] = field("b", 1, 37, "nibbles", right_pad="0")
    for number in (36, 48, 60, 61):
        fields[str(number)] = field("b", 2, 322, "nibbles", right_pad="0")
    for number, length in {37: 12, 38: 6, 39: 2, 41: 8, 42: 15, 49: 3, 64: 8}.items():
        fields[str(number)] = field("ascii", 0, length)
    fields["44"] = field("ascii", 1, 25)
    fields["52"] = field("b", 0, 8)
    fields["55"] = field("b", 2, 255)
    fields["62"] = field("b", 2, 512)
    return fields


HEADER = "6000120000" + "603100030102"


def check_digit(number):
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return str((10 - total % 10) % 10)


def sale(trace, pan):
    return {
        "h": HEADER, "t": "0200", "2": pan, "3": "000000", "4": "%012d" % (100 + trace), "11": "%06d" % trace,
        "14": "2806", "22": "071", "23": "001", "25": "00", "26": "06", "35": pan + "D28062013479895450"[:37 - len(pan)],
        "41": "97000001", "42": "899523055410009", "49": "156", "52": "4615CBDFEE5F2211", "53": "2600000000000000",
        "55": "9F26080912E58992FAF1089F270180", "60": "22000001000600", "64": "00000000",
    }


def management(trace, mti, network_code):
    return {"h": HEADER, "t": mti, "11": "%06d" % trace, "41": "97000001", "42": "899523055410009",
            "60": "00000001" + network_code}


def receive(stream):
    size = struct.unpack(">H", stream.read(2))[0]
    return stream.read(size)


def main(host, port, count):
    specification = spec()
    requests = [management(1, "0800", "003"), management(2, "0820", "301")]
    for trace in range(3, count + 1):
        # Numbers of a range that no one issues.
        body = "9999" + "%014d" % (trace * 7919) if trace % 2 else "9999" + "%011d" % (trace * 7919)
        requests.append(sale(trace, body + check_digit(body)))
    with socket.create_connection((host, int(port)), timeout=20) as line:
        stream = line.makefile("rb")
        for request in requests:
            raw, _ = iso8583.encode(request, specification)
            line.sendall(struct.pack(">H", len(raw)) + raw)
            reply, _ = iso8583.decode(receive(stream), specification)
            wanted = request["t"][:2] + "%d0" % (int(request["t"][2]) + 1)
            assert reply["t"] == wanted, (reply["t"], wanted)
            for number in ("11", "41", "42", "60"):
                assert reply[number] == request[number], (number, reply[number], request[number])
            if "4" in request:
                assert reply["4"] == request["4"]
            print(json.dumps({"mti": reply["t"], "trace": reply["11"], "code": reply["39"], "amount": reply.get("4")}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
