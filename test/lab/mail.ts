/** Whether a server takes mail for its own people, from a stranger as most of its mail comes. */

import { LineClient } from '../world/line-client.ts';
import { DOMAIN, PASSWORD } from './root.ts';

const PATIENCE_MS = 4_000;

/** A whole message; what went wrong, or undefined when it was taken. Port 25, or `port`. */
export async function takesMail(address: string, port = 25): Promise<string | undefined> {
  let client: LineClient | undefined;
  try {
    client = await LineClient.connect(port, address, PATIENCE_MS, '127.66.0.1');
    const wrong = await playMail(client, port === 24 ? 'LHLO' : 'EHLO');
    return wrong;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    client?.close();
  }
}

async function playMail(client: LineClient, hello: string): Promise<string | undefined> {
  const [greeting = ''] = await client.reply();
  if (!greeting.startsWith('220')) return `greeting: ${greeting}`;
  client.send(`${hello} client.sender.test\r\n`);
  const offered = await client.reply();
  if (!(offered.at(-1) ?? '').startsWith('250 ')) return `${hello}: ${offered.join(' ')}`;
  // Who offers TLS must be able to speak it.
  if (offered.some((line) => /^250[- ]STARTTLS$/.test(line))) {
    const agreed = await client.ask('STARTTLS');
    if (!agreed.startsWith('220')) return `STARTTLS: ${agreed}`;
    await client.startTls();
    await client.ask(`${hello} client.sender.test`);
  }
  const letter = `From: <stranger@sender.test>\r\nTo: <alice@${DOMAIN}>\r\nSubject: hello\r\n\r\nhello\r\n.`;
  for (const [line, code] of [
    ['MAIL FROM:<stranger@sender.test>', '250'],
    [`RCPT TO:<alice@${DOMAIN}>`, '250'],
    ['DATA', '354'],
    [letter, '250'],
    ['QUIT', '221'],
  ] as const) {
    const answer = await client.ask(line);
    if (!answer.startsWith(code)) return `${line.slice(0, 40)}: ${answer || 'no answer'}`;
  }
  return undefined;
}

/** Whether alice reads her mail by IMAP under STARTTLS on port 143; what went wrong otherwise. */
export async function takesLogin(address: string): Promise<string | undefined> {
  let client: LineClient | undefined;
  try {
    client = await LineClient.connect(143, address, PATIENCE_MS, '127.66.0.1');
    await client.line();
    const begun = (await client.tagged('a', 'STARTTLS')).at(-1) ?? '';
    // Without TLS as before: some cures are about other things.
    if (begun.startsWith('a OK')) await client.startTls();
    const answer = (await client.tagged('b', `LOGIN alice ${PASSWORD}`)).at(-1) ?? '';
    return answer.startsWith('b OK') ? undefined : `LOGIN: ${answer}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    client?.close();
  }
}
