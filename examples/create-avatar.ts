// A video to an avatar: node scripts/run.mjs examples/create-avatar.ts VIDEO DIR [STEPS] [FRAMES]
import { createAvatar } from 'fate-avatar/node';

const [video = 'me.mp4', out = 'out/me', steps = '6000', frames = '400'] = process.argv.slice(2);
const { heldOut } = await createAvatar(
  { video, out, steps: Number(steps), frames: Number(frames) },
  { onProgress: ({ stage, done, total }) => console.error(stage, done, '/', total) },
);
console.log(`held-out PSNR ${heldOut?.fitted.psnr.toFixed(1)} dB`);
process.exit();
