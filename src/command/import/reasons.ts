/** Why a parameter of Postfix has no counterpart: one reason for each family of names. */

/** Patterns in order; the first that fits says why. */
const REASONS: readonly (readonly [name: RegExp, why: string])[] = [
  [
    /^(?:compatibility_level|biff|readme_directory|html_directory|manpage_directory|sample_directory)$/,
    'has no meaning here',
  ],
  [/_(?:directory|owner|group|path|program|command)$/, 'names a part of Postfix that is not here'],
  [
    /^(?:alias|virtual_alias|virtual)_maps$/,
    'nothing in it leads anywhere from a domain of this server',
  ],
  [/^alias_database$/, 'tables are in the store'],
  [/milter/, 'milters are not asked: SPF, DKIM and DMARC are built in'],
  [/^(?:content_filter|receive_override_options)$/, 'there are no content filters'],
  [/^(?:header|body|mime_header|nested_header|smtp_header|smtp_body)_checks$/, 'no patterns here'],
  [
    /^(?:canonical|sender_canonical|recipient_canonical|generic|smtp_generic)_maps$/,
    'addresses are not rewritten',
  ],
  [/^masquerade_/, 'addresses are not rewritten'],
  [/^append_dot_mydomain$/, 'bare names get myorigin on submission only'],
  [
    /^(?:mailbox|virtual_mailbox|home_mailbox|mail_spool|mailbox_transport|virtual_transport|local_transport|virtual_uid|virtual_gid|virtual_minimum)/,
    'mail is delivered into the store',
  ],
  [
    /^(?:dovecot|spamassassin|cyrus|maildrop|procmail|lmtp)_/,
    'another transport: mail is delivered into the store',
  ],
  [
    /^smtpd_sasl_(?:type|path|local_domain|authenticated_header|exceptions)/,
    'logins are those of the accounts here',
  ],
  [/^smtpd_sasl_auth_enable$/, 'logins are on port 587 and 465, never on 25'],
  [/^smtpd_sasl_(?:tls_)?security_options$/, 'no anonymous logins, none in clear, by design'],
  [/^broken_sasl_auth_clients$/, 'the obsolete form of AUTH is not offered'],
  [/^smtpd_sender_login_maps$/, 'an account owns its address and its aliases'],
  [/^smtp_sasl_/, 'the relayhost is the only place to log in to'],
  [
    /^smtpd?_use_tls$|^smtpd?_enforce_tls$|^smtpd_tls_(?:auth_only|security_level|received_header)$/,
    'STARTTLS is always offered, AUTH needs it, Received tells it',
  ],
  [
    /^smtpd?_tls_.*(?:protocols|ciphers|exclude|dh|eecdh|cipherlist|preempt)|^tls_/,
    'TLS 1.2 and up with the ciphers of the TLS library',
  ],
  [
    /^smtpd?_tls_(?:session_cache|loglevel|CAfile|CApath|note_starttls|fingerprint)/,
    'decided by the program',
  ],
  [
    /^smtpd_tls_/,
    'certificates are named by smtpd_tls_cert_file, smtpd_tls_key_file, tls_server_sni_maps',
  ],
  [/^smtp_tls_policy_maps$/, 'only plain rows could be read: write smtp_tls_policy_maps here'],
  [/^disable_vrfy_command$/, 'VRFY tells nothing here (252 for every name)'],
  [/^smtpd_helo_required$/, 'HELO is always required here'],
  [/^smtpd_banner$/, 'the greeting names the host and no program'],
  [/^smtpd_forbid_|^smtpd_reject_footer|^strict_/, 'always strict here'],
  [/^smtpd_delay_reject$/, 'refusals come at RCPT here, as with yes'],
  [
    /^(?:debug|syslog|maillog|error_notice|2bounce|notify_classes|soft_bounce)/,
    'logs, notices and their levels are other settings here',
  ],
  [
    /^(?:default_process_limit|in_flow_delay|qmgr_|initial_destination|queue_run_delay|hopcount_limit)/,
    'one process, its own scheduling',
  ],
  [
    /^(?:anvil|smtpd_client_.*_rate_limit|smtpd_soft_error_limit|smtpd_error_sleep|smtpd_junk)/,
    'limits by prefix and account are other settings here',
  ],
  [/^postscreen_/, 'early talkers and pipelining are detected by the server itself'],
  [
    /^(?:mydomain|mynetworks_style|relay_recipient_maps|parent_domain_matches_subdomains)$/,
    'was followed, and stands in what came of it',
  ],
  [/^local_recipient_maps$/, 'who has no account and no alias is refused'],
  [/^luser_relay$/, 'use postern domain catch-all'],
  [
    /^(?:address_verify_|smtpd_end_of_data|smtpd_etrn|fast_flush|always_bcc|sender_bcc|recipient_bcc)/,
    'there is nothing like it here',
  ],
];

/** One sentence without full stop, for the report. */
export function reasonFor(parameter: string): string {
  const known = REASONS.find(([name]) => name.test(parameter));
  return known?.[1] ?? 'there is no such setting here';
}
