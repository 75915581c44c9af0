/** Measures `postern headers --header-only` on one core: a generated mbox, messages a second. */

import { MboxSplitter } from '#forensics/input/mbox.ts';
import { Examination, type Examined } from '#forensics/examine.ts';
import { reportJson } from '#forensics/report/json.ts';
import { ClockModel } from '#forensics/route/clock.ts';
import { examineOptions } from '#forensics/testing.ts';

const MESSAGES = 10_000;
const PIECE_BYTES = 65_536;

/** Seconds of this process' processor for the whole of an mbox, JSON reports included. */
export async function measureHeaders(
  messages: number = MESSAGES,
): Promise<{ readonly perSecond: number; readonly megabytes: number }> {
  const mbox = Buffer.concat(Array.from({ length: messages }, (_, at) => oneMessage(at)));
  const options = { ...examineOptions(TRUST), clocks: new ClockModel() };
  const done: Promise<Examined>[] = [];
  const splitter = new MboxSplitter(() => {
    const one = new Examination('mbox', options);
    return { push: (bytes) => one.push(bytes), end: () => void done.push(one.finish()) };
  });
  let reported = 0;
  const before = process.cpuUsage();
  for (let at = 0; at < mbox.length; at += PIECE_BYTES) {
    splitter.push(mbox.subarray(at, at + PIECE_BYTES));
    for (const one of done.splice(0)) reported += JSON.stringify(reportJson(await one)).length;
  }
  splitter.finish();
  for (const one of done) reported += JSON.stringify(reportJson(await one)).length;
  const { user, system } = process.cpuUsage(before);
  if (reported === 0) throw new Error('nothing was reported');
  const seconds = (user + system) / 1e6;
  return { perSecond: Math.round(messages / seconds), megabytes: mbox.length / 1e6 };
}

const TRUST = { mx: ['mx.us.test'], ids: ['mx.us.test'], known: ['example.org'], headerOnly: true };

/** Five hops, a signature, results: what mail looks like. About 5 KB with a body of 2 KB. */
function oneMessage(at: number): Buffer {
  const second = String(at % 60).padStart(2, '0');
  const date = `Sun, 22 Nov 2026 09:00:${second} +0000`;
  const base64 = 'Ab3dEf9hIjK1MnOpQrStUvWxYz0123456789+/'.repeat(7);
  const lines = [
    'From alice@example.org Sun Nov 22 09:00:00 2026',
    `Return-Path: <bounce-${at}@list.example.com>`,
    'Delivered-To: bob@us.test',
    'Authentication-Results: mx.us.test; dkim=pass header.d=example.org header.s=s1; spf=pass smtp.mailfrom=list.example.com; dmarc=pass header.from=example.org',
    'Received: from mx.us.test ([127.0.0.1]) by localhost (mx.us.test [127.0.0.1]) (amavisd-new, port 10024)',
    `\twith ESMTP id a${at}-b for <bob@us.test>; ${date}`,
    'Received: from out.example.com (out.example.com [192.0.2.7])',
    '\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))',
    `\tby mx.us.test (Postfix) with ESMTPS id 4XyZ8k3rqTz${at}; ${date}`,
    `Received: from AM0PR04MB1234.eurprd04.prod.outlook.com (2603:10a6:208:ab::12) by VI1PR04MB5678.eurprd04.prod.outlook.com (2603:10a6:803:ee::34) with Microsoft SMTP Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.8158.14; ${date}`,
    `Received: from laptop.lan ([10.1.2.3] helo=laptop.lan) by out.example.com with esmtpsa (TLS1.3) tls TLS_AES_256_GCM_SHA384 (Exim 4.96) (envelope-from <alice@example.org>) id 1xUy5g-0005DT-2f for bob@us.test; ${date}`,
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s1; t=1795338000; h=from:to:subject:date:message-id; bh=${base64.slice(0, 43)}=; b=${base64.slice(0, 342)}==`,
    'From: =?utf-8?q?Alice_M=C3=BCller?= <alice@example.org>',
    'To: bob@us.test, "Carol, the other one" <carol@us.test>',
    'Reply-To: list@list.example.com',
    `Subject: [list] =?utf-8?b?R3LDvMOfZSBhdXMgZGVyIEZlcm5l?= ${at}`,
    `Date: ${date}`,
    `Message-ID: <${at}.abc@example.org>`,
    'List-Id: <list.example.com>',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'X-Mailer: Some Mailer 1.0',
    '',
    ...Array.from(
      { length: 28 },
      () => 'The quick brown fox jumps over the lazy dog, and once again over it.',
    ),
    '',
  ];
  return Buffer.from(`${lines.join('\n')}\n`);
}

if (process.argv[1] === import.meta.filename) {
  await measureHeaders(2_000);
  const { perSecond, megabytes } = await measureHeaders();
  console.log(`${perSecond} messages a second of processor time (${megabytes.toFixed(1)} MB)`);
}
