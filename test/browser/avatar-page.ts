// Runs in Chromium: loads an avatar's file and draws it to a canvas, as a web page would.
import { AvatarRenderer, centredCamera, createGpu, decodeAvatar, poseForView, type View } from 'fate-avatar/viewer';

async function drawAvatar(size: number, view: View, expression: Record<string, number>): Promise<string> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('the browser gives no WebGPU adapter');
  const gpu = await createGpu(adapter);
  const file = await fetch('/avatar.bin');
  const avatar = decodeAvatar(new Uint8Array(await file.arrayBuffer()), 'avatar.bin');
  const renderer = await AvatarRenderer.create(gpu, avatar);
  const image = await renderer.render(poseForView(avatar, view, expression), centredCamera(avatar.camera, size), {
    transparent: true,
  });
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  canvas.style.display = 'block';
  document.body.append(canvas);
  canvas.getContext('2d')!.putImageData(new ImageData(new Uint8ClampedArray(image.data), size, size), 0, 0);
  renderer.dispose();
  gpu.dispose();
  return gpu.adapter.description || gpu.adapter.vendor;
}

Object.assign(globalThis, { drawAvatar });
