import { UrlSource, VideoSampleSink, type InputVideoTrack, type VideoCodec, type VideoSample } from 'mediabunny';
import { UnsupportedVideoError } from '../../video/errors.ts';
import type { Picture } from '../../video/picture.ts';
import type { VideoPlatform } from '../../video/video-platform.ts';

/** Reads videos in a browser, by URL or from a picked file; WebCodecs decodes. */
export const browserVideoPlatform: VideoPlatform = {
  openSource: (url) => Promise.resolve(new UrlSource(url)),
  decode: decodeWithWebCodecs,
};

async function* decodeWithWebCodecs(
  track: InputVideoTrack,
  codec: VideoCodec,
  signal?: AbortSignal,
): AsyncGenerator<Picture, void, undefined> {
  if (!(await track.canDecode())) {
    const name = codec === 'hevc' ? 'HEVC (H.265), an iPhone’s default' : codec;
    throw new UnsupportedVideoError(
      'codec',
      `This browser cannot decode ${name}. Convert the video to MP4 with H.264, or use the command line.`,
    );
  }
  for await (const sample of new VideoSampleSink(track).samples()) {
    try {
      signal?.throwIfAborted();
      yield await pictureOf(sample);
    } finally {
      sample.close();
    }
  }
}

const PLANAR = /^I(420|422|444)(?:P(10|12))?$/;

async function pictureOf(sample: VideoSample): Promise<Picture> {
  const { width, height } = sample.visibleRect;
  const planar = PLANAR.exec(sample.format ?? '');
  const common = {
    width,
    height,
    timestamp: sample.timestamp,
    fullRange: sample.colorSpace.fullRange ?? null,
    hasChroma: true,
  };
  const bytes = new Uint8Array(sample.allocationSize());
  if (planar) {
    const chromaShiftX = planar[1] === '444' ? 0 : 1;
    const chromaShiftY = planar[1] === '420' ? 1 : 0;
    const bitDepth = Number(planar[2] ?? 8);
    const layout = await sample.copyTo(bytes);
    return {
      ...common,
      chromaShiftX,
      chromaShiftY,
      bitDepth,
      data: packPlanes(bytes, layout, { width, height, chromaShiftX, chromaShiftY, bitDepth }),
    };
  }
  if (sample.format === 'NV12') {
    const layout = await sample.copyTo(bytes);
    return { ...common, chromaShiftX: 1, chromaShiftY: 1, bitDepth: 8, data: splitNv12(bytes, layout, width, height) };
  }
  throw new UnsupportedVideoError(
    'decoder',
    `This browser decodes the video to "${sample.format}", which is not read here. Use the command line, or convert the video to 8-bit H.264.`,
  );
}

type PlaneFormat = Pick<Picture, 'width' | 'height' | 'chromaShiftX' | 'chromaShiftY' | 'bitDepth'>;

/** Removes the padding between rows and planes. */
function packPlanes(bytes: Uint8Array, layout: PlaneLayout[], format: PlaneFormat): Uint8Array {
  const sampleBytes = format.bitDepth > 8 ? 2 : 1;
  const chromaRow = ((format.width + (1 << format.chromaShiftX) - 1) >> format.chromaShiftX) * sampleBytes;
  const chromaRows = (format.height + (1 << format.chromaShiftY) - 1) >> format.chromaShiftY;
  const data = new Uint8Array(format.width * format.height * sampleBytes + 2 * chromaRow * chromaRows);
  let at = 0;
  layout.slice(0, 3).forEach((plane, i) => {
    const rowBytes = i === 0 ? format.width * sampleBytes : chromaRow;
    const rows = i === 0 ? format.height : chromaRows;
    for (let y = 0; y < rows; y++, at += rowBytes)
      data.set(bytes.subarray(plane.offset + y * plane.stride, plane.offset + y * plane.stride + rowBytes), at);
  });
  return data;
}

/** NV12 holds Cb and Cr interleaved in one plane. */
function splitNv12(bytes: Uint8Array, layout: PlaneLayout[], width: number, height: number): Uint8Array {
  const chromaWidth = (width + 1) >> 1;
  const chromaHeight = (height + 1) >> 1;
  const data = new Uint8Array(width * height + 2 * chromaWidth * chromaHeight);
  for (let y = 0; y < height; y++)
    data.set(
      bytes.subarray(layout[0].offset + y * layout[0].stride, layout[0].offset + y * layout[0].stride + width),
      y * width,
    );
  const blue = width * height;
  const red = blue + chromaWidth * chromaHeight;
  for (let y = 0; y < chromaHeight; y++) {
    for (let x = 0; x < chromaWidth; x++) {
      const from = layout[1].offset + y * layout[1].stride + 2 * x;
      data[blue + y * chromaWidth + x] = bytes[from];
      data[red + y * chromaWidth + x] = bytes[from + 1];
    }
  }
  return data;
}
