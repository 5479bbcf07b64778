/**
 * The part of Python's pickle format that PyTorch's state dicts use, read without running anything: the few callables
 * that a state dict names are known here, any other is refused. (A pickle can name any function to call; that is why
 * files of unknown origin must not be opened with Python's own reader.)
 */

/** A list of (name, content) that Python calls a dict, in its order. */
export type PickledDict = Map<unknown, unknown>;

/** A callable that the stream names, e.g. `torch._utils._rebuild_tensor_v2`. */
export interface PickledGlobal {
  readonly global: string;
}

export interface PickleHandlers {
  /** Stands for `callable(*args)`. Throws for callables that are not known. */
  reduce(callable: string, args: readonly unknown[]): unknown;
  /** Stands for what a persistent id refers to. */
  persistent(id: unknown): unknown;
}

const MARK = Symbol('mark');
const utf8 = new TextDecoder();

/** Reads one pickle from `offset`. Throws `Error` with the reason when it is damaged or holds something else. */
export function readPickle(
  bytes: Uint8Array,
  offset: number,
  handlers: PickleHandlers,
): { value: unknown; end: number } {
  const machine = new PickleMachine(bytes, offset, handlers);
  return { value: machine.run(), end: machine.position };
}

class PickleMachine {
  position: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #handlers: PickleHandlers;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(bytes: Uint8Array, offset: number, handlers: PickleHandlers) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = offset;
    this.#handlers = handlers;
  }

  run(): unknown {
    for (;;) {
      const code = this.#byte();
      if (code === 0x2e) return this.#pop();
      const operation = OPERATIONS[code];
      if (!operation) throw new Error(`unknown pickle operation 0x${code.toString(16)} at byte ${this.position - 1}`);
      operation.call(this);
    }
  }

  /** Operations by their byte; the letters are those of Python's pickletools. */
  static readonly operations: Readonly<Record<string, (this: PickleMachine) => void>> = {
    '\x80': function () {
      this.#byte(); // protocol
    },
    '\x95': function () {
      this.#take(8); // frame length
    },
    '(': function () {
      this.#stack.push(MARK);
    },
    N: function () {
      this.#stack.push(null);
    },
    '\x88': function () {
      this.#stack.push(true);
    },
    '\x89': function () {
      this.#stack.push(false);
    },
    K: function () {
      this.#stack.push(this.#byte());
    },
    M: function () {
      this.#stack.push(this.#view.getUint16(this.#take(2), true));
    },
    J: function () {
      this.#stack.push(this.#view.getInt32(this.#take(4), true));
    },
    G: function () {
      this.#stack.push(this.#view.getFloat64(this.#take(8), false));
    },
    '\x8a': function () {
      this.#stack.push(this.#long(this.#byte()));
    },
    X: function () {
      this.#stack.push(this.#text(this.#view.getUint32(this.#take(4), true)));
    },
    '\x8c': function () {
      this.#stack.push(this.#text(this.#byte()));
    },
    U: function () {
      this.#stack.push(this.#text(this.#byte()));
    },
    T: function () {
      this.#stack.push(this.#text(this.#view.getInt32(this.#take(4), true)));
    },
    ']': function () {
      this.#stack.push([]);
    },
    '}': function () {
      this.#stack.push(new Map());
    },
    ')': function () {
      this.#stack.push([]);
    },
    '\x85': function () {
      this.#stack.push(this.#stack.splice(-1));
    },
    '\x86': function () {
      this.#stack.push(this.#stack.splice(-2));
    },
    '\x87': function () {
      this.#stack.push(this.#stack.splice(-3));
    },
    t: function () {
      this.#stack.push(this.#untilMark());
    },
    a: function () {
      const entry = this.#pop();
      this.#top<unknown[]>(Array).push(entry);
    },
    e: function () {
      const entries = this.#untilMark();
      this.#top<unknown[]>(Array).push(...entries);
    },
    s: function () {
      const [key, value] = this.#stack.splice(-2);
      this.#top<PickledDict>(Map).set(key, value);
    },
    u: function () {
      const entries = this.#untilMark();
      const dict = this.#top<PickledDict>(Map);
      for (let k = 0; k + 1 < entries.length; k += 2) dict.set(entries[k], entries[k + 1]);
    },
    q: function () {
      this.#memo.set(this.#byte(), this.#stack.at(-1));
    },
    r: function () {
      this.#memo.set(this.#view.getUint32(this.#take(4), true), this.#stack.at(-1));
    },
    '\x94': function () {
      this.#memo.set(this.#memo.size, this.#stack.at(-1));
    },
    h: function () {
      this.#stack.push(this.#memo.get(this.#byte()));
    },
    j: function () {
      this.#stack.push(this.#memo.get(this.#view.getUint32(this.#take(4), true)));
    },
    c: function () {
      this.#stack.push({ global: `${this.#line()}.${this.#line()}` } satisfies PickledGlobal);
    },
    '\x93': function () {
      const [module, name] = this.#stack.splice(-2);
      this.#stack.push({ global: `${String(module)}.${String(name)}` } satisfies PickledGlobal);
    },
    R: function () {
      const [callable, args] = this.#stack.splice(-2) as [PickledGlobal | undefined, unknown];
      if (!callable?.global || !Array.isArray(args)) throw new Error('a call without a callable');
      this.#stack.push(this.#handlers.reduce(callable.global, args));
    },
    b: function () {
      this.#pop(); // an object's further state: state dicts keep versions there
    },
    Q: function () {
      this.#stack.push(this.#handlers.persistent(this.#pop()));
    },
  };

  #take(count: number): number {
    const start = this.position;
    this.position += count;
    if (this.position > this.#bytes.length) throw new Error('it ends in the middle');
    return start;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)];
  }

  #text(length: number): string {
    const start = this.#take(length);
    return utf8.decode(this.#bytes.subarray(start, start + length));
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.position);
    if (end < 0) throw new Error('it ends in the middle');
    return this.#text(end - this.position + 1).slice(0, -1);
  }

  /** Little-endian two's complement of any length; those of files fit a double. */
  #long(length: number): number | bigint {
    const start = this.#take(length);
    let value = 0n;
    for (let k = length - 1; k >= 0; k--) value = (value << 8n) | BigInt(this.#bytes[start + k]);
    const signed = BigInt.asIntN(Math.max(1, length * 8), value);
    return signed >= Number.MIN_SAFE_INTEGER && signed <= Number.MAX_SAFE_INTEGER ? Number(signed) : signed;
  }

  #pop(): unknown {
    if (this.#stack.length === 0) throw new Error('it takes from an empty stack');
    return this.#stack.pop();
  }

  #untilMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw new Error('it takes from an empty stack');
    return this.#stack.splice(mark).slice(1);
  }

  #top<T>(kind: new () => T): T {
    const top = this.#stack.at(-1);
    if (!(top instanceof kind)) throw new Error(`it adds to something that is no ${kind.name}`);
    return top;
  }
}

const OPERATIONS: ((this: PickleMachine) => void)[] = [];
for (const [letter, operation] of Object.entries(PickleMachine.operations))
  OPERATIONS[letter.charCodeAt(0)] = operation;
