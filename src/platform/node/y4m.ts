import { pictureBytes, type Picture } from '../../video/picture.ts';

/** What a YUV4MPEG2 header says of every picture that follows. */
export type Y4mFormat = Pick<
  Picture,
  'width' | 'height' | 'chromaShiftX' | 'chromaShiftY' | 'hasChroma' | 'bitDepth' | 'fullRange'
>;

/** Reads a YUV4MPEG2 header line. Throws when it is not one. */
export function parseY4mHeader(line: string): Y4mFormat {
  const fields = line.trim().split(' ');
  if (fields[0] !== 'YUV4MPEG2')
    throw new Error(`ffmpeg's output begins with "${line.slice(0, 40)}", not with a YUV4MPEG2 header.`);
  const field = (letter: string): string => fields.find((f, i) => i > 0 && f.startsWith(letter))?.slice(1) ?? '';
  const color = field('C') || '420';
  const hasChroma = !color.startsWith('mono');
  const range = fields.find((f) => f.startsWith('XCOLORRANGE='));
  return {
    width: Number(field('W')),
    height: Number(field('H')),
    hasChroma,
    chromaShiftX: color.startsWith('444') || !hasChroma ? 0 : 1,
    chromaShiftY: color.startsWith('420') ? 1 : 0,
    bitDepth: Number(/^(?:mono|4\d\dp)(\d+)$/.exec(color)?.[1] ?? 8),
    fullRange: range ? range === 'XCOLORRANGE=FULL' : null,
  };
}

/** Cuts a YUV4MPEG2 byte stream into pictures' planes, pulling no more than the next picture needs. */
export async function* readY4m(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ format: Y4mFormat; data: Uint8Array }, void, undefined> {
  const reader = new ByteReader(stream);
  const header = await reader.line();
  if (header === null) return;
  const format = parseY4mHeader(header);
  const bytes = pictureBytes(format);
  while ((await reader.line()) !== null) {
    const data = await reader.take(bytes);
    if (!data) return;
    yield { format, data };
  }
}

/** Takes lines and blocks off a byte stream. */
class ByteReader {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private chunk: Uint8Array = new Uint8Array(0);
  private offset = 0;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.chunks = stream[Symbol.asyncIterator]();
  }

  /** Text up to the next line feed; null at the end. */
  async line(): Promise<string | null> {
    let text = '';
    for (;;) {
      if (!(await this.fill())) return null;
      const end = this.chunk.indexOf(10, this.offset);
      text += String.fromCharCode(...this.chunk.subarray(this.offset, end < 0 ? this.chunk.length : end));
      this.offset = end < 0 ? this.chunk.length : end + 1;
      if (end >= 0) return text;
      if (text.length > 4096) throw new Error('ffmpeg’s output is not a YUV4MPEG2 stream.');
    }
  }

  /** Exactly `count` bytes in memory of their own; null when the stream ends before. */
  async take(count: number): Promise<Uint8Array | null> {
    const block = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      if (!(await this.fill())) return null;
      const part = this.chunk.subarray(this.offset, this.offset + count - filled);
      block.set(part, filled);
      filled += part.length;
      this.offset += part.length;
    }
    return block;
  }

  private async fill(): Promise<boolean> {
    while (this.offset >= this.chunk.length) {
      const next = await this.chunks.next();
      if (next.done) return false;
      this.chunk = next.value;
      this.offset = 0;
    }
    return true;
  }
}
