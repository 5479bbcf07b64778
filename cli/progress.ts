import { SingleBar } from 'cli-progress';
import type { Progress } from 'fate-avatar';

/** Shows the progress of stages on stderr: a bar on a terminal, else a line every ten seconds. */
export interface ProgressDisplay {
  readonly onProgress: (progress: Progress) => void;
  /** Writes a line without breaking the bar. */
  readonly log: (line: string) => void;
  readonly stop: () => void;
}

const LINE_PERIOD = 10_000;

/** Seconds left, from what this run has done since it first reported (a resumed stage starts in the middle). */
export class RemainingTime {
  readonly #startedAt: number;
  readonly #startedWith: number;
  constructor(done: number, now: number) {
    this.#startedWith = done;
    this.#startedAt = now;
  }
  /** Null while there is nothing to go by. */
  seconds(done: number, total: number, now: number): number | null {
    const gained = done - this.#startedWith;
    if (gained <= 0) return null;
    return (((now - this.#startedAt) / gained) * (total - done)) / 1000;
  }
}

/** `1:05`, `2:03:00`. */
export function clockText(seconds: number | null): string {
  if (seconds === null) return '–:––';
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

export function createProgressDisplay(stream: NodeJS.WriteStream = process.stderr): ProgressDisplay {
  return stream.isTTY ? createBars(stream) : createLines(stream);
}

function createBars(stream: NodeJS.WriteStream): ProgressDisplay {
  let stage = '';
  let bar: SingleBar | null = null;
  let remaining = new RemainingTime(0, 0);
  const stop = (): void => {
    bar?.stop();
    bar = null;
  };
  return {
    onProgress({ stage: name, done, total, note = '' }) {
      if (!bar || name !== stage) {
        stop();
        stage = name;
        remaining = new RemainingTime(done, Date.now());
        bar = new SingleBar({
          stream,
          format: '{stage} {bar} {value}/{total} · {left} left {note}',
          barCompleteChar: '█',
          barIncompleteChar: '░',
          barsize: 28,
          hideCursor: true,
          fps: 5,
        });
        bar.start(total, done, { stage: name.padEnd(10), left: clockText(null), note });
      }
      bar.setTotal(total);
      bar.update(done, { left: clockText(remaining.seconds(done, total, Date.now())), note });
      if (done >= total) stop();
    },
    log(line) {
      if (bar) stream.write('\r\u001b[K');
      stream.write(`${line}\n`);
    },
    stop,
  };
}

function createLines(stream: Pick<NodeJS.WriteStream, 'write'>): ProgressDisplay {
  let stage = '';
  let lastLine = -Infinity;
  let remaining = new RemainingTime(0, 0);
  return {
    onProgress({ stage: name, done, total, note }) {
      const now = Date.now();
      if (name !== stage) {
        stage = name;
        remaining = new RemainingTime(done, now);
      } else if (now - lastLine < LINE_PERIOD && done < total) return;
      lastLine = now;
      const seconds = done < total ? remaining.seconds(done, total, now) : null;
      const left = seconds === null ? '' : `, ${clockText(seconds)} left`;
      stream.write(`${name} ${done}/${total}${left}${note ? ` ${note}` : ''}\n`);
    },
    log: (line) => void stream.write(`${line}\n`),
    stop: () => {},
  };
}
