import { describe, expect, it } from 'vitest';
import {
  aptPlan,
  deriveSource,
  findFfmpeg,
  installAdvice,
  isVersionAtLeast,
  readSystem,
  type System,
} from './machine.mjs';

const DEBIAN_12 = readSystem(
  'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
);
const debian12: System = { ...DEBIAN_12, hasApt: true, isRoot: true };

describe('versions', () => {
  it('compare by number, not by letter', () => {
    expect(isVersionAtLeast('20.19.0', '20.19.0')).toBe(true);
    expect(isVersionAtLeast('20.9.0', '20.19.0')).toBe(false);
    expect(isVersionAtLeast('v22.1', '20.19.0')).toBe(true);
  });
});

describe('deriveSource', () => {
  it('copies the mirror and the key of a deb822 entry', () => {
    const own =
      'Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /keys/a.gpg\n';
    const other = 'Types: deb\nURIs: http://other.example/x\nSuites: bookworm\nComponents: extra\n';
    expect(deriveSource([other, own], 'bookworm', 'bookworm-backports')).toBe(
      'Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\nSigned-By: /keys/a.gpg\n',
    );
  });

  it('copies the mirror and the options of a one-line entry', () => {
    const own =
      '# deb http://off.example/debian bookworm main\ndeb [signed-by=/keys/b.gpg arch=amd64] http://m.example/debian bookworm main contrib\n';
    expect(deriveSource([own], 'bookworm', 'bookworm-backports')).toBe(
      'Types: deb\nURIs: http://m.example/debian\nSuites: bookworm-backports\nComponents: main\nSigned-By: /keys/b.gpg\nArchitectures: amd64\n',
    );
  });

  it('keeps a key that stands in the entry itself', () => {
    const own =
      'Types: deb\nURIs: http://m.example/d\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN-----\n .\n abc\n';
    expect(deriveSource([own], 'bookworm', 'x')).toContain('Signed-By: \n -----BEGIN-----\n .\n abc');
  });

  it('adds nothing when the suite is there', () => {
    const own = 'deb http://m.example/debian bookworm main\ndeb http://m.example/debian bookworm-backports main\n';
    expect(deriveSource([own], 'bookworm', 'bookworm-backports')).toBeNull();
  });

  it('says what to do when there is nothing to copy', () => {
    expect(() => deriveSource([''], 'bookworm', 'bookworm-backports')).toThrow(/add "bookworm-backports" by hand/);
  });
});

describe('aptPlan', () => {
  it('takes Mesa from backports on Debian 12 alone', () => {
    expect(aptPlan(debian12, ['adapter', 'ffmpeg', 'chromium'])).toEqual({
      packages: ['ffmpeg', 'chromium'],
      backports: ['mesa-vulkan-drivers'],
      suite: 'bookworm-backports',
      notInApt: [],
    });
    const debian13 = { ...debian12, version: 13, codename: 'trixie' };
    expect(aptPlan(debian13, ['adapter'])).toMatchObject({ packages: ['mesa-vulkan-drivers'], suite: null });
  });

  it("leaves Chromium alone on Ubuntu, where apt's is a snap", () => {
    const ubuntu = { ...debian12, family: 'ubuntu', version: 24.04, codename: 'noble' };
    expect(aptPlan(ubuntu, ['adapter', 'chromium'])).toMatchObject({
      packages: ['mesa-vulkan-drivers'],
      notInApt: ['chromium'],
    });
    expect(installAdvice(ubuntu, ['chromium'])[0]).toContain('CHROMIUM_PATH');
  });

  it('is null without apt, and the advice still names a command', () => {
    const fedora = { ...debian12, family: 'fedora', hasApt: false };
    expect(aptPlan(fedora, ['ffmpeg'])).toBeNull();
    expect(installAdvice(fedora, ['ffmpeg'])[0]).toContain('dnf install');
  });
});

describe('findFfmpeg', () => {
  it('takes FFMPEG_PATH or nothing when it is set', () => {
    expect(findFfmpeg({ FFMPEG_PATH: '/no/such/program', PATH: process.env.PATH })).toBeNull();
    expect(findFfmpeg({ FFMPEG_PATH: process.execPath })).toBe(process.execPath);
  });
});
