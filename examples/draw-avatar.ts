// A picture from an avatar's file: node scripts/run.mjs examples/draw-avatar.ts DIR/avatar.safetensors FILE.png
import { readFile, writeFile } from 'node:fs/promises';
import { createNodeGpu, encodePng } from 'fate-avatar/node';
import { AvatarRenderer, centredCamera, decodeAvatar, poseForView } from 'fate-avatar/viewer';

const [file = 'out/me/avatar.safetensors', picture = 'me.png'] = process.argv.slice(2);
const avatar = decodeAvatar(await readFile(file), file);
const renderer = await AvatarRenderer.create(await createNodeGpu(), avatar);
const pose = poseForView(avatar, { yaw: 30 }, { smile: 0.8, jawOpen: 0.2 });
await writeFile(picture, await encodePng(await renderer.render(pose, centredCamera(avatar.camera, 512))));
process.exit();
