/** Cures of TLS that many checks share: versions, ciphers, certificates. */

import type { Cure } from '../../check.ts';

const POSTERN: Cure = {
  product: 'postern',
  lines: ["Postern speaks TLS 1.2 and 1.3 with its library's choice alone; update Postern."],
};

/** One line for both: it is one option, and the second cure would undo the first. */
const EXIM: Cure = {
  product: 'exim',
  lines: [
    'tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-AES-256-CBC:-AES-128-CBC:-SHA1:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%SERVER_PRECEDENCE',
    'With OpenSSL (not in Debian): openssl_options = +no_sslv3 +no_tlsv1 +no_tlsv1_1.',
  ],
};

/** Only versions that hold. */
export const NEW_VERSIONS: readonly Cure[] = [
  {
    product: 'postfix',
    lines: ['smtpd_tls_protocols = >=TLSv1.2', 'smtpd_tls_mandatory_protocols = >=TLSv1.2'],
  },
  EXIM,
  { product: 'opensmtpd', lines: ['Update OpenSMTPD: since 6.8 it speaks TLS 1.2 and above.'] },
  {
    product: 'sendmail',
    lines: [
      'O ServerSSLOptions=+SSL_OP_NO_SSLv2 +SSL_OP_NO_SSLv3 +SSL_OP_NO_TLSv1 +SSL_OP_NO_TLSv1_1',
    ],
  },
  { product: 'dovecot', lines: ['ssl_min_protocol = TLSv1.2'] },
  POSTERN,
];

/** Only ciphers that hold, in the server's order. */
export const STRONG_CIPHERS: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      'smtpd_tls_ciphers = medium',
      'smtpd_tls_mandatory_ciphers = high',
      'smtpd_tls_exclude_ciphers = aNULL, eNULL, EXPORT, DES, 3DES, RC4, MD5, kRSA, SHA1, SHA256, SHA384',
      'tls_preempt_cipherlist = yes',
      'No line ends signatures with SHA-1 under opportunistic TLS, if the client wants them.',
    ],
  },
  EXIM,
  { product: 'opensmtpd', lines: ['smtp ciphers "ECDHE+AESGCM:ECDHE+CHACHA20"'] },
  {
    product: 'sendmail',
    lines: [
      'O CipherList=ECDHE+AESGCM:ECDHE+CHACHA20',
      'O ServerSSLOptions=+SSL_OP_CIPHER_SERVER_PREFERENCE',
    ],
  },
  {
    product: 'dovecot',
    lines: ['ssl_cipher_list = ECDHE+AESGCM:ECDHE+CHACHA20', 'ssl_prefer_server_ciphers = yes'],
  },
  POSTERN,
];

/** Fresh keys of enough bits. */
export const STRONG_GROUPS: readonly Cure[] = [
  {
    product: 'postfix',
    lines: ['smtpd_tls_dh1024_param_file = auto', 'smtpd_tls_eecdh_grade = auto'],
  },
  { product: 'exim', lines: ['tls_dhparam = ffdhe2048', 'tls_eccurve = auto'] },
  {
    product: 'opensmtpd',
    lines: [
      'pki mail cert "/etc/ssl/mail.pem"',
      'pki mail key "/etc/ssl/private/mail.key"',
      'pki mail dhe none',
    ],
  },
  { product: 'sendmail', lines: ['O DHParameters=2'] },
  {
    product: 'dovecot',
    lines: [
      'ssl_dh = </etc/dovecot/dh.pem',
      'ssl_curve_list = X25519:P-256:P-384',
      '# first run:',
      'openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out /etc/dovecot/dh.pem',
    ],
  },
  POSTERN,
];

/** A library that is up to date: what no line switches off. */
export const NEW_LIBRARY: readonly Cure[] = [
  {
    product: 'postfix',
    lines: ['tls_ssl_options = NO_COMPRESSION, NO_RENEGOTIATION', 'Update OpenSSL.'],
  },
  {
    product: 'exim',
    lines: [
      'Update the TLS library.',
      'With OpenSSL (not in Debian): openssl_options = +no_compression +no_renegotiation.',
    ],
  },
  { product: 'opensmtpd', lines: ['Update LibreSSL or OpenSSL.'] },
  { product: 'sendmail', lines: ['O ServerSSLOptions=+SSL_OP_NO_COMPRESSION', 'Update OpenSSL.'] },
  { product: 'dovecot', lines: ['ssl_options = no_compression', 'Update OpenSSL.'] },
  { product: 'postern', lines: ['Update Postern, and with it Node.'] },
];

/** Another certificate, with its chain. */
export const NEW_CERTIFICATE: readonly Cure[] = [
  {
    product: 'postfix',
    lines: ['smtpd_tls_chain_files = /etc/postfix/key.pem, /etc/postfix/fullchain.pem'],
  },
  {
    product: 'exim',
    lines: ['tls_certificate = /etc/exim4/fullchain.pem', 'tls_privatekey = /etc/exim4/key.pem'],
  },
  {
    product: 'opensmtpd',
    lines: ['pki mail cert "/etc/ssl/fullchain.pem"', 'pki mail key "/etc/ssl/private/key.pem"'],
  },
  {
    product: 'sendmail',
    lines: [
      // Without authorities it offers no TLS, and says only that it is not available.
      "define(`confCACERT_PATH', `/etc/ssl/certs')dnl",
      "define(`confCACERT', `/etc/ssl/certs/ca-certificates.crt')dnl",
      "define(`confSERVER_CERT', `/etc/mail/tls/fullchain.pem')dnl",
      "define(`confSERVER_KEY', `/etc/mail/tls/key.pem')dnl",
    ],
  },
  {
    product: 'dovecot',
    lines: ['ssl_cert = </etc/dovecot/fullchain.pem', 'ssl_key = </etc/dovecot/key.pem'],
  },
  {
    product: 'postern',
    lines: [
      'smtpd_tls_cert_file = "/etc/postern/fullchain.pem"',
      'smtpd_tls_key_file = "/etc/postern/key.pem"',
    ],
  },
];
