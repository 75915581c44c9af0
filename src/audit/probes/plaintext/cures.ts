/** Cures that several checks of logins and TLS share. */

import type { Cure } from '../../check.ts';

/** Logins only under TLS. */
export const TLS_BEFORE_LOGIN: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      // Without a certificate nobody could log in any more.
      'smtpd_tls_chain_files = /etc/postfix/key.pem, /etc/postfix/cert.pem',
      'smtpd_tls_security_level = may',
      'smtpd_tls_auth_only = yes',
    ],
  },
  { product: 'exim', lines: ['auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}'] },
  {
    product: 'opensmtpd',
    lines: [
      'pki mail cert "/etc/ssl/mail.pem"',
      'pki mail key "/etc/ssl/private/mail.key"',
      'listen on 0.0.0.0 tls pki mail',
      'listen on 0.0.0.0 port 587 tls-require pki mail auth',
    ],
  },
  { product: 'sendmail', lines: ["define(`confAUTH_OPTIONS', `A p y')dnl"] },
  {
    product: 'dovecot',
    lines: [
      'ssl = required',
      'ssl_cert = </etc/dovecot/cert.pem',
      'ssl_key = </etc/dovecot/key.pem',
      'disable_plaintext_auth = yes',
      'Since 2.4: ssl_server_cert_file, ssl_server_key_file and auth_allow_cleartext = no.',
    ],
  },
  { product: 'postern', lines: ['Logins without TLS cannot be switched on; update Postern.'] },
];

/** TLS at all. */
export const TLS_AT_ALL: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      'smtpd_tls_security_level = may',
      'smtpd_tls_chain_files = /etc/postfix/key.pem, /etc/postfix/cert.pem',
    ],
  },
  {
    product: 'exim',
    lines: [
      'tls_advertise_hosts = *',
      'tls_certificate = /etc/exim4/exim.crt',
      'tls_privatekey = /etc/exim4/exim.key',
    ],
  },
  {
    product: 'opensmtpd',
    lines: [
      'pki mail cert "/etc/ssl/mail.pem"',
      'pki mail key "/etc/ssl/private/mail.key"',
      'listen on 0.0.0.0 tls pki mail',
    ],
  },
  {
    product: 'sendmail',
    lines: [
      // Without authorities it offers no TLS, and says only that it is not available.
      "define(`confCACERT_PATH', `/etc/ssl/certs')dnl",
      "define(`confCACERT', `/etc/ssl/certs/ca-certificates.crt')dnl",
      "define(`confSERVER_CERT', `/etc/mail/tls/cert.pem')dnl",
      "define(`confSERVER_KEY', `/etc/mail/tls/key.pem')dnl",
    ],
  },
  {
    product: 'dovecot',
    lines: [
      'ssl = required',
      'ssl_cert = </etc/dovecot/cert.pem',
      'ssl_key = </etc/dovecot/key.pem',
      'Since 2.4: ssl_server_cert_file and ssl_server_key_file, without the <.',
    ],
  },
  {
    product: 'postern',
    lines: [
      'smtpd_tls_cert_file = "/etc/postern/cert.pem"',
      'smtpd_tls_key_file = "/etc/postern/key.pem"',
    ],
  },
];

/** Only good mechanisms. */
export const MECHANISMS: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      'smtpd_sasl_security_options = noanonymous',
      'smtpd_sasl_mechanism_filter = !anonymous, !ntlm, !cram-md5, !digest-md5, static:rest',
    ],
  },
  {
    product: 'exim',
    lines: ['Remove the authenticator of this mechanism from begin authenticators.'],
  },
  { product: 'opensmtpd', lines: ['Only PLAIN and LOGIN are built in; update OpenSMTPD.'] },
  {
    product: 'sendmail',
    lines: ["define(`confAUTH_MECHANISMS', `PLAIN')dnl", "define(`confAUTH_OPTIONS', `A p y')dnl"],
  },
  {
    product: 'dovecot',
    lines: [
      // Dovecot does not start with SCRAM where its passdb (PAM) cannot do it.
      'auth_mechanisms = plain login',
      'Add scram-sha-256 where the passwords are kept for it.',
    ],
  },
  { product: 'postern', lines: ['The mechanism is not built in; update Postern.'] },
];

/** SCRAM, which needs passwords that were kept for it. */
export const CHALLENGES: readonly Cure[] = [
  { product: 'postfix', lines: ['Set passwords for SCRAM, and have the SASL library offer it.'] },
  { product: 'exim', lines: ['Add an authenticator with driver gsasl and SCRAM-SHA-256-PLUS.'] },
  { product: 'opensmtpd', lines: ['Only PLAIN and LOGIN are built in; update OpenSMTPD.'] },
  { product: 'sendmail', lines: ['Set passwords for SCRAM, and have the SASL library offer it.'] },
  {
    product: 'dovecot',
    lines: ['Set passwords with the scheme SCRAM-SHA-256, then add scram-sha-256.'],
  },
  { product: 'postern', lines: ['The mechanism is not built in; update Postern.'] },
];

/** AUTH without the equals sign. */
export const ONE_FORM: readonly Cure[] = [
  { product: 'postfix', lines: ['broken_sasl_auth_clients = no'] },
  { product: 'postern', lines: ['The old form is not built in; update Postern.'] },
];

/** Logins on the submission ports alone. */
export const NOT_AT_RECEPTION: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      'smtpd_sasl_auth_enable = no',
      '# master.cf, under submission:',
      '  -o smtpd_sasl_auth_enable=yes',
    ],
  },
  { product: 'exim', lines: ['auth_advertise_hosts = ${if eq{$received_port}{25}{}{*}}'] },
  { product: 'opensmtpd', lines: ['Leave auth out of the listener of port 25.'] },
  { product: 'sendmail', lines: ["DAEMON_OPTIONS(`Name=MTA, Port=smtp, M=A')dnl"] },
  { product: 'postern', lines: ['Port 25 takes no logins; update Postern.'] },
];
