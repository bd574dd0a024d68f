# The LTS line that CI and the packages use, too. By digest, because a tag can be moved; CONTRIBUTING.md says where this one is from
# and how it is renewed.
FROM node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20 AS node

FROM node AS build
WORKDIR /build
# Before the sources, so that an edit does not compile librdkafka again, which takes minutes.
COPY package.json package-lock.json ./
COPY scripts/setup scripts/setup
RUN CI=true node scripts/setup/setup.mjs run
COPY tsconfig.json tsconfig.build.json plugins.config.json LICENSE ./
COPY schemas schemas
COPY scenarios scenarios
COPY docs docs
COPY console console
COPY src src
COPY scripts scripts
RUN npm run build && node scripts/prune.mjs /headgate

FROM node
LABEL org.opencontainers.image.title="Headgate" \
      org.opencontainers.image.description="Webhook events in, checked and routed to the right Kafka partition" \
      org.opencontainers.image.source="https://github.com/headgate/headgate" \
      org.opencontainers.image.documentation="https://github.com/headgate/headgate#documentation" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing that installs packages stays: it has more faults than use in a container that runs one program.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libssl3 zlib1g libzstd1 \
 && rm -rf /var/lib/apt/lists/* /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
 && install -d -o 1000 -g 1000 /var/lib/headgate \
 && install -d /node_modules && ln -s /opt/headgate /node_modules/headgate \
 && ln -s /opt/headgate/dist/cli.js /usr/local/bin/headgate
COPY --from=build /headgate /opt/headgate
COPY --from=build /headgate/plugins.config.json /etc/headgate/
COPY --from=build /headgate/schemas /etc/headgate/schemas
COPY --from=build /headgate/scenarios /etc/headgate/scenarios
ENV NODE_ENV=production \
    HEADGATE_CONFIG=/etc/headgate/plugins.config.json \
    HEADGATE_STATE_DIR=/var/lib/headgate \
    HEADGATE_HOST=0.0.0.0 \
    HEADGATE_ADMIN_HOST=0.0.0.0 \
    HEADGATE_ADMIN_TOKEN_FILE=generate
# By number, so that Kubernetes can see that it is not root. Nothing is written but the volume.
USER 1000:1000
WORKDIR /var/lib/headgate
VOLUME /var/lib/headgate
EXPOSE 8080 8083
# By https where the admin listener speaks it; its name and authority do not matter to one that asks itself. Where it
# wants client certificates, or /health wants a token, give a check of your own.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "const { HEADGATE_ADMIN_PORT: port = 8083, HEADGATE_ADMIN_TLS_CERT: cert } = process.env; require(cert ? 'https' : 'http').get({ host: '127.0.0.1', port, path: '/health', rejectUnauthorized: false }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# Without a shell in between, so that SIGTERM reaches it. It may use 25 s to drain: docker stop --time 30.
ENTRYPOINT ["node", "/opt/headgate/dist/cli.js"]
CMD ["run"]
