#!/usr/bin/env bash
# Installs from Debian's packages what some tests check against and npm and Maven do not have.
# Needs root. Nothing is started: the tests start what they need, on free ports, and end it.
set -euo pipefail

missing=()
command -v promtool >/dev/null || missing+=(prometheus)   # promtool reads our metrics critically, Prometheus scrapes them
command -v redis-server >/dev/null || missing+=(redis-server)
command -v nats-server >/dev/null || missing+=(nats-server)
command -v rabbitmq-server >/dev/null || [ -x /usr/sbin/rabbitmq-server ] || missing+=(rabbitmq-server)
command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)   # an MQTT broker that is not ours
command -v cc >/dev/null || missing+=(gcc libc6-dev)   # the disk that fails in the crash tests is a library in C
command -v java >/dev/null || missing+=(default-jre-headless)   # Apache Kafka runs on it
command -v mvn >/dev/null || missing+=(maven)   # fetches Apache Kafka

# A browser for the tests of what is built for browsers; any Chromium will do.
browser() { command -v chromium-headless-shell || command -v chromium || command -v chromium-browser || command -v google-chrome; }
browser >/dev/null || missing+=(chromium-headless-shell)

[ ${#missing[@]} -eq 0 ] && exit 0
echo "holdfast: installing ${missing[*]} (apt-get) …"
# A package's service must not start by itself; a machine that has a rule of its own keeps it.
rule=/usr/sbin/policy-rc.d
if [ ! -e "$rule" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$rule" && chmod +x "$rule"
  trap 'rm -f "$rule"' EXIT
fi
apt-get update -qq
# Ubuntu has it under another name.
if ! apt-cache show chromium-headless-shell >/dev/null 2>&1; then
  missing=("${missing[@]/#chromium-headless-shell/chromium-browser}")
fi
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
