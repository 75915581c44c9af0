/** Rules about plaintext and TLS, for mail that comes in and mail that goes out. */

import { check, type PostfixRule } from '../check.ts';
import type { Values } from '../values.ts';

export const noTlsIn: PostfixRule = {
  check: check('tls-in-off', 'medium', 'Mail comes in without TLS', {
    means: 'Everybody on the way reads mail and passwords.',
    doesNotMean: 'Opportunistic TLS stops listeners, not those who change what is sent.',
    rfc: ['RFC 3207 4', 'RFC 8314 3'],
    cure: [
      'smtpd_tls_security_level = may',
      'smtpd_tls_chain_files = /etc/postfix/key-and-certificate.pem',
    ],
  }),
  judge: (values) => {
    if (offersTls(values)) return undefined;
    const level = values.text('smtpd_tls_security_level') ?? '';
    const parameter = 'smtpd_tls_security_level';
    const certificate = level === '' || level === 'none' ? '' : ', and no certificate is named';
    return {
      parameter,
      seen: level === '' ? `${parameter} is not set` : `${parameter} is ${level}${certificate}`,
    };
  },
  // With a level and no certificate Postfix offers it, and says 454.
  live: ['plaintext.no-tls', 'plaintext.starttls-broken'],
};

export const authInClear: PostfixRule = {
  check: check('auth-in-clear', 'high', 'Passwords are taken without TLS', {
    means: 'Mail programs send the password in clear; anyone on the way reads it.',
    doesNotMean: 'Where AUTH is only offered on 465 there is nothing to cure: look at master.cf.',
    rfc: ['RFC 4954 4', 'RFC 8314 3.3'],
    // Without a certificate nobody could log in any more.
    cure: [
      'smtpd_tls_chain_files = /etc/postfix/key.pem, /etc/postfix/cert.pem',
      'smtpd_tls_security_level = may',
      'smtpd_tls_auth_only = yes',
    ],
  }),
  judge: (values) => {
    if (values.yes('smtpd_sasl_auth_enable') !== true) return undefined;
    if (values.yes('smtpd_tls_auth_only') === true && wantsTls(values)) return undefined;
    // What is left before TLS does not show the password.
    if (values.list('smtpd_sasl_security_options').includes('noplaintext')) return undefined;
    if (values.text('smtpd_tls_security_level') === 'encrypt') return undefined;
    const seen = 'smtpd_sasl_auth_enable is yes, smtpd_tls_auth_only is not';
    return { parameter: 'smtpd_tls_auth_only', seen };
  },
  live: ['plaintext.smtp-auth-offered', 'plaintext.smtp-auth-accepted'],
};

export const anonymousLogin: PostfixRule = {
  check: check('anonymous-login', 'high', 'Anonymous logins are permitted', {
    means: 'Who logs in as nobody is authenticated, and permit_sasl_authenticated lets him relay.',
    doesNotMean: 'The SASL library may not have the mechanism.',
    rfc: ['RFC 4505 1'],
    cure: ['smtpd_sasl_security_options = noanonymous'],
  }),
  judge: (values) => {
    if (values.yes('smtpd_sasl_auth_enable') !== true) return undefined;
    for (const parameter of ['smtpd_sasl_security_options', 'smtpd_sasl_tls_security_options']) {
      if (values.list(parameter).includes('noanonymous')) continue;
      return { parameter, seen: `${parameter} lacks noanonymous` };
    }
    return undefined;
  },
  live: ['plaintext.anonymous-offered'],
};

const OLD = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1'];

export const oldTls: PostfixRule = {
  check: check('tls-old', 'medium', 'TLS versions that are given up are spoken', {
    means: 'Sessions may be made weaker than both sides could.',
    doesNotMean: 'On port 25 old TLS is still better than none; for logins it is not.',
    rfc: ['RFC 8996 4'],
    cure: [
      'smtpd_tls_mandatory_protocols = >=TLSv1.2',
      'smtpd_tls_protocols = >=TLSv1.2',
      'smtp_tls_protocols = >=TLSv1.2',
    ],
  }),
  judge: (values) => {
    if (!offersTls(values)) return undefined;
    for (const parameter of ['smtpd_tls_mandatory_protocols', 'smtpd_tls_protocols']) {
      const old = OLD.filter((version) => permits(values.text(parameter) ?? '', version));
      if (old.length === 0) continue;
      const severity = parameter === 'smtpd_tls_protocols' ? 'low' : 'medium';
      return { parameter, seen: `${parameter} permits ${old.join(', ')}`, severity };
    }
    return undefined;
  },
  live: ['tls.tls10', 'tls.tls11'],
};

export const weakCiphers: PostfixRule = {
  check: check('tls-ciphers', 'medium', 'Weak ciphers are permitted', {
    means: 'A session may be encrypted with what can be broken.',
    doesNotMean: 'The TLS library may have removed them.',
    rfc: ['RFC 9325 4.2'],
    cure: ['smtpd_tls_ciphers = medium', 'smtpd_tls_mandatory_ciphers = high'],
  }),
  judge: (values) => {
    for (const parameter of [
      'smtpd_tls_ciphers',
      'smtpd_tls_mandatory_ciphers',
      'smtp_tls_ciphers',
    ]) {
      const grade = values.text(parameter) ?? '';
      if (!/^(?:export|low|null)$/i.test(grade)) continue;
      return { parameter, seen: `${parameter} is ${grade}` };
    }
    return undefined;
  },
};

export const noTlsOut: PostfixRule = {
  check: check('tls-out-off', 'medium', 'Mail goes out without TLS', {
    means: 'Mail to servers that offer TLS is sent in clear all the same.',
    doesNotMean: 'Even so the receiver may refuse mail in clear.',
    rfc: ['RFC 7435 3'],
    cure: ['smtp_tls_security_level = may', 'Or dane, with a validating resolver.'],
  }),
  judge: (values) => {
    const level = values.text('smtp_tls_security_level') ?? '';
    if (level !== '' && level !== 'none') return undefined;
    if (values.yes('smtp_use_tls') === true || values.yes('smtp_enforce_tls') === true) {
      return undefined;
    }
    const parameter = 'smtp_tls_security_level';
    return { parameter, seen: level === '' ? `${parameter} is not set` : `${parameter} is none` };
  },
};

const CERTIFICATES = ['chain_files', 'cert_file', 'eccert_file', 'dcert_file'];

/** Without a certificate STARTTLS is not offered; the word `none` stands for anonymous TLS. */
function offersTls(values: Values): boolean {
  return (
    wantsTls(values) && CERTIFICATES.some((name) => (values.text(`smtpd_tls_${name}`) ?? '') !== '')
  );
}

function wantsTls(values: Values): boolean {
  const level = values.text('smtpd_tls_security_level') ?? '';
  if (level !== '') return level !== 'none';
  return values.yes('smtpd_use_tls') === true || values.yes('smtpd_enforce_tls') === true;
}

/** Whether a protocol list lets a version through: `>=TLSv1.2`, `!SSLv2, !SSLv3`, `TLSv1.2`. */
function permits(list: string, version: string): boolean {
  const order = [...OLD, 'TLSv1.2', 'TLSv1.3'];
  const rank = (name: string): number =>
    order.findIndex((one) => one.toLowerCase() === name.toLowerCase());
  const words = list.split(/[\s,:]+/).filter((word) => word !== '');
  const least = words.find((word) => word.startsWith('>='));
  if (least !== undefined) return rank(version) >= rank(least.slice(2)) && rank(version) > 1;
  if (words.some((word) => word.toLowerCase() === `!${version.toLowerCase()}`)) return false;
  const wanted = words.filter((word) => !/^[!<>]/.test(word));
  // SSL is gone from the TLS library that Postfix is built with today.
  if (wanted.length === 0) return rank(version) > 1;
  return wanted.some((word) => rank(word) === rank(version));
}
