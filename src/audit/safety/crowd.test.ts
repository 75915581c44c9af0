/** Tests of the places at one address: who enters, who waits, and that nobody waits for itself. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { Crowd, type Holder } from './crowd.ts';

/** Who entered, in order. */
function watched() {
  const clock = virtualClock();
  const crowd = new Crowd(clock);
  const inside: string[] = [];
  const enter = (name: string, holder: Holder): void => {
    void crowd.enter(holder).then(() => inside.push(name));
  };
  const passes = async (ms: number): Promise<void> => {
    await settled();
    clock.pass(ms);
    await settled();
  };
  return { crowd, inside, enter, passes };
}

suite('crowd', () => {
  test('while nobody is refused everybody enters', async () => {
    const { inside, enter, passes } = watched();
    for (let at = 0; at < 20; at += 1) enter(String(at), {});
    await passes(0);
    assert.equal(inside.length, 20);
  });

  test('a server that bears two is asked by one probe after the other, in the order they came', async () => {
    const { crowd, inside, enter, passes } = watched();
    const [a, b, c] = [{}, {}, {}];
    enter('a', a);
    enter('b', b);
    enter('c', c);
    await passes(0);
    crowd.refused();
    assert.equal(crowd.bears, 2);
    crowd.leave(c);
    enter('c again', c);
    crowd.leave(b);
    enter('b again', b);
    await passes(5_000);
    assert.deepEqual(inside, ['a', 'b', 'c'], 'a holds one');
    crowd.leave(a);
    await passes(200);
    assert.deepEqual(inside.slice(3), ['c again']);
    crowd.leave(c);
    await passes(200);
    assert.deepEqual(inside.slice(3), ['c again', 'b again']);
  });

  test('who holds one connection and wants another does not wait for itself', async () => {
    const { crowd, inside, enter, passes } = watched();
    const [a, b] = [{}, {}];
    enter('a', a);
    enter('b', b);
    await passes(0);
    crowd.refused();
    crowd.leave(b);
    assert.equal(crowd.bears, 1);
    enter('a too', a);
    await passes(100);
    assert.deepEqual(inside, ['a', 'b']);
    await passes(500);
    assert.deepEqual(inside, ['a', 'b', 'a too']);
  });

  test('after a while without a refusal one more is dared; ten refusals in a row are hopeless', async () => {
    const { crowd, enter, passes } = watched();
    enter('a', {});
    enter('b', {});
    await passes(0);
    crowd.refused();
    for (let at = 0; at < 8; at += 1) crowd.served();
    assert.equal(crowd.bears, 2);
    for (let at = 0; at < 9; at += 1) crowd.refused();
    assert.equal(crowd.hopeless, false);
    crowd.refused();
    assert.equal(crowd.hopeless, true);
    crowd.served();
    assert.equal(crowd.hopeless, false);
  });
});

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
