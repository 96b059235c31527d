// Derivatives of one photo by sharp, for benches/stills.py: the least CPU milliseconds of some repetitions in one process.
//
// usage: node stills.mjs MODULES FILE REPETITIONS THREADS FOLDER — MODULES is the folder that sharp was installed into.
import { createRequire } from 'node:module';
import fs from 'node:fs';

const [modules, file, repetitions, threads, folder] = process.argv.slice(2);
const sharp = createRequire(modules + '/')('sharp');
sharp.concurrency(Number(threads));
sharp.cache(false);
const bytes = fs.readFileSync(file);
const fit = side => ({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
const jpeg = { quality: 80 };

// As its manual shows it: each size from the file, which it decodes at a fraction where it can.
async function each() {
    const files = [];
    for (const side of [2048, 1024, 320]) files.push(await sharp(bytes).autoOrient().resize(fit(side)).jpeg(jpeg).toBuffer());
    return files;
}

// What is faster for it: one decode, and each size from the one before.
async function cascade() {
    const files = [];
    let { data, info } = await sharp(bytes).autoOrient().resize(fit(2048)).raw().toBuffer({ resolveWithObject: true });
    const raw = () => sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
    files.push(await raw().jpeg(jpeg).toBuffer());
    for (const side of [1024, 320]) {
        ({ data, info } = await raw().resize(fit(side)).raw().toBuffer({ resolveWithObject: true }));
        files.push(await raw().jpeg(jpeg).toBuffer());
    }
    return files;
}

const result = {};
for (const way of Number(repetitions) > 1 ? [each, cascade] : [cascade]) {
    let [cpu, wall, files] = [Infinity, Infinity];
    for (let i = 0; i < Number(repetitions); i++) {
        const [before, began] = [process.cpuUsage(), performance.now()];
        files = await way();
        const spent = process.cpuUsage(before);
        cpu = Math.min(cpu, (spent.user + spent.system) / 1e3);
        wall = Math.min(wall, performance.now() - began);
    }
    result[way.name] = { cpu_ms: cpu, wall_ms: wall };
    ['large', 'medium', 'small'].forEach((name, i) => fs.writeFileSync(`${folder}/${name}.jpg`, files[i]));
}
result.peak_bytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify(result));
