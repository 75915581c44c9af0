/** Files that `postern setup` writes: the configuration, a systemd unit, a container file. */

import { formatRaw } from '../configuration/toml.ts';
import type { SetupPlan } from './plan.ts';

/** postern.toml with its reasons; at most 40 lines. */
export function configurationText(plan: SetupPlan): string {
  return `# Postern for ${plan.domain}, made by \`postern setup\`. Everything not named here has a
# default: \`postern config explain NAME\` says it, \`postern config check\` checks this file.

# The name in the greeting, in HELO and in the certificate: PTR and A records must agree with it.
myhostname = ${formatRaw(plan.hostname)}

# Logins without @ belong to this domain. Domains, accounts and aliases are not in this file:
# \`postern domain\`, \`postern account\` and \`postern alias\` keep them.
myorigin = ${formatRaw(plan.domain)}

# Everything that must be kept: mail, queue, keys. This is what to back up.
data_directory = ${formatRaw(plan.dataDirectory)}

# Certificates come by themselves once you agree to the terms of the authority.
# acme_directory = "https://acme-v02.api.letsencrypt.org/directory"
# acme_terms_agreed = true
# acme_contact = ${formatRaw(`postmaster@${plan.domain}`)}
# http_listen = ["80"]
# Or name your own:
# smtpd_tls_cert_file = "/etc/postern/certificate.pem"
# smtpd_tls_key_file = "/etc/postern/key.pem"

# The MTA-STS policy of your domains; begin with testing.
# https_listen = ["443"]
# mta_sts_mode = "testing"

# Name servers on this machine that check DNSSEC, for DANE:
# resolver_addresses = ["127.0.0.1"]
# resolver_validating = ["127.0.0.1"]
`;
}

export interface UnitInputs {
  /** The program, absolute. */
  readonly program: string;
  readonly plan: Pick<SetupPlan, 'configuration' | 'dataDirectory'>;
}

const PORTS = [25, 465, 587, 143, 993, 110, 995] as const;

/**
 * postern.service. What is closed is what Node survives: its compiler writes memory that it then
 * runs, so MemoryDenyWriteExecute cannot be set.
 */
export function serviceUnit({ program, plan }: UnitInputs): string {
  return `# Made by \`postern setup\`. Copy to /etc/systemd/system/postern.service, then:
#   useradd --system --home-dir ${plan.dataDirectory} --shell /usr/sbin/nologin postern
#   chown -R postern:postern ${plan.dataDirectory}
#   systemctl daemon-reload && systemctl enable --now postern.socket postern.service
[Unit]
Description=Postern mail server
After=network-online.target
Wants=network-online.target postern.socket

[Service]
ExecStart=${program} serve --config ${plan.configuration}
ExecReload=/bin/kill -HUP $MAINPID
User=postern
Group=postern
StateDirectory=postern
ReadWritePaths=${plan.dataDirectory}
Restart=on-failure
RestartSec=2
TimeoutStopSec=20
LimitNOFILE=65536
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
UMask=0077
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources

[Install]
WantedBy=multi-user.target
`;
}

/** postern.socket: the ports stay open while the server restarts. */
export function socketUnit(): string {
  const listen = PORTS.flatMap((port) => [
    `ListenStream=0.0.0.0:${port}`,
    `ListenStream=[::]:${port}`,
  ]);
  return `[Unit]
Description=Ports of the Postern mail server

[Socket]
${listen.join('\n')}
BindIPv6Only=ipv6-only
NoDelay=yes
Backlog=1024

[Install]
WantedBy=sockets.target
`;
}

/** A container file: the program on a small Debian, as a user of its own. */
export function containerText(): string {
  return `# Made by \`postern setup\`. Build it in a checkout: docker build -t postern -f Containerfile .
FROM node:26-bookworm-slim
WORKDIR /opt/postern
COPY . .
RUN npm ci --omit=dev && useradd --system --home-dir /var/lib/postern postern \\
  && mkdir -p /var/lib/postern && chown postern:postern /var/lib/postern
USER postern
VOLUME /var/lib/postern
EXPOSE ${PORTS.join(' ')}
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/postern/bin/postern"]
CMD ["serve", "--config", "/etc/postern/postern.toml"]
`;
}
