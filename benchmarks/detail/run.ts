// Gaussian count against quality and size, from one baked avatar:
//   npm run detail -- DIR [--frames 10] [--counts 5000,10000,20000,50000,200000] [--out out/detail]
// Held-out frames, poses fitted once to the avatar as baked and the same for every count. Writes OUT/detail.md and
// OUT/detail.png; ends with 1 when 20,000 Gaussians are more than 1 dB under the avatar as baked.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Avatar } from '../../src/avatar/avatar.ts';
import { bakedGaussians } from '../../src/baking/baked-avatar.ts';
import { resample } from '../../src/baking/level-of-detail.ts';
import { resampleMatched } from '../../src/baking/resample-matched.ts';
import { decodePackage, encodePackage } from '../../src/baking/package-file.ts';
import { asShown, meanScores, scoreFrame } from '../../src/evaluation/score-frames.ts';
import { splitFrames } from '../../src/evaluation/split-frames.ts';
import { fitPoses } from '../../src/fitting/fit-poses.ts';
import { createNodeGpu } from '../../src/platform/node/index.ts';
import { readBaked } from '../../src/platform/node/baked-folder.ts';
import { encodePng } from '../../src/platform/node/image-file.ts';
import { RunFolder } from '../../src/platform/node/run-folder.ts';
import { readClip, readTrack } from '../../src/platform/node/runs/fit-run.ts';
import { pickEvenly } from '../../src/platform/node/runs/evaluate-run.ts';
import { contactSheet } from '../../src/report/sheets.ts';
import { correctPose } from '../../src/tracking/track-correction.ts';
import type { Image } from '../../src/video/frame.ts';
import { AvatarRenderer } from '../../src/viewer/avatar-renderer.ts';
import { centredCamera, poseForView } from '../../src/viewer/views.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    frames: { type: 'string', default: '10' },
    counts: { type: 'string', default: '5000,10000,20000,50000,200000' },
    out: { type: 'string', default: 'out/detail' },
  },
});
if (positionals.length !== 1) {
  console.error('give the folder of a baked avatar: npm run detail -- DIR');
  process.exit(2);
}
const path = resolve(positionals[0]);
const out = resolve(import.meta.dirname, '../..', flags.out);
const VIEW_SIZE = 384;
/** Bytes of one Gaussian in the 3DGS layout. */
const PLY_RECORD = 68;
const LARGEST_LOSS = 1;

const folder = await RunFolder.open(path);
const track = await readTrack(folder);
const heldOut = pickEvenly(splitFrames(track.frames, 'fifth').heldOut, Number(flags.frames));
const clip = await readClip(folder, track, heldOut);
await folder.close();
const baked = await readBaked(path);
const full = bakedGaussians(baked);
const gpu = await createNodeGpu();
const frames = clip.frames.map((frame) => ({ ...frame, pose: correctPose(frame.pose, full.trackCorrection) }));
const poses = await fitPoses(gpu, full, { ...clip, frames });

interface Measured {
  readonly psnr: number;
  readonly ssim: number;
  readonly view: Image;
}

async function measure(avatar: Avatar): Promise<Measured> {
  const renderer = await AvatarRenderer.create(gpu, avatar);
  const scores = [];
  for (const [index, { camera, shown }] of clip.frames.entries()) {
    const pixels = clip.pixels(index);
    const data = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    const truth: Image = { width: clip.size, height: clip.size, channels: 4, data };
    scores.push(scoreFrame(truth, asShown(await renderer.renderFloat(poses[index], camera), shown)));
  }
  const view = await renderer.render(poseForView(avatar), centredCamera(avatar.camera, VIEW_SIZE));
  renderer.dispose();
  return { ...meanScores(scores)!, view };
}

const asBaked = await measure(full);
const count = (value: number): string => value.toLocaleString('en');
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
const against = ({ psnr }: Measured): string => (psnr - asBaked.psnr).toFixed(2);
const line = (name: string, shown: Measured, gaussians: number, sampled?: Measured, seconds?: number): string =>
  `| ${name} | ${shown.psnr.toFixed(2)} | ${against(shown)} | ${shown.ssim.toFixed(4)} | ${sampled ? against(sampled) : ''} | ${seconds?.toFixed(0) ?? ''} | ${megabytes(gaussians * PLY_RECORD)} |`;
const rows = [line(`${count(full.gaussians.count)}, as baked`, asBaked, full.gaussians.count)];
const cells = [{ image: asBaked.view, caption: `${count(full.gaussians.count)} as baked` }];
let lossAt20k = 0;
for (const wanted of flags.counts.split(',').map(Number)) {
  const before = process.cpuUsage();
  const matched = await resampleMatched(gpu, baked, wanted);
  const used = process.cpuUsage(before);
  const measured = await measure(matched);
  const sampled = await measure(resample(baked, wanted, 1));
  rows.push(line(count(wanted), measured, wanted, sampled, (used.user + used.system) / 1e6));
  cells.push({ image: measured.view, caption: `${count(wanted)}: ${measured.psnr.toFixed(1)} dB` });
  if (wanted === 20_000) lossAt20k = asBaked.psnr - measured.psnr;
  console.error(rows.at(-1));
}
const packed = encodePackage(baked);
const unpacked = await measure(bakedGaussians(decodePackage(packed, 'package')));
const { size: fittedBytes } = await stat(join(path, 'avatar.safetensors'));
const text = `${(await readFile(join(import.meta.dirname, 'heading.md'), 'utf8')).trim()}

| Gaussians | PSNR, dB | against as baked | SSIM | as sampled, against as baked | processor s | PLY |
|---|---|---|---|---|---|---|
${rows.join('\n')}

| file | bytes | PSNR, dB |
|---|---|---|
| \`avatar.safetensors\`, as fitted, float32 | ${megabytes(fittedBytes)} | |
| \`.fate\` package: head, places and maps of ${baked.maps.size}² | ${megabytes(packed.length)} | ${unpacked.psnr.toFixed(3)} (unpacked; ${asBaked.psnr.toFixed(3)} before) |

Head: ${full.head.name}. Held-out frames: ${heldOut.length}, poses fitted to the avatar as baked. ${gpu.adapter.description || gpu.adapter.vendor}.
`;
await mkdir(out, { recursive: true });
await writeFile(join(out, 'detail.md'), text);
await writeFile(join(out, 'detail.png'), await encodePng(contactSheet(cells, { columns: 3, cellSize: VIEW_SIZE })));
console.log(text);
gpu.dispose();
process.exit(lossAt20k > LARGEST_LOSS ? 1 : 0);
