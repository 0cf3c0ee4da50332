# The image of Strongroom: the pinned Node, the program, and nothing that only development needs.
#   docker run -v strongroom-data:/data IMAGE migrate
#   docker run -v strongroom-data:/data -v /mnt/backups:/place IMAGE backup /place/

FROM node:24-bookworm-slim AS packages
WORKDIR /opt/strongroom
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --include=optional --no-audit --no-fund \
 && rm -rf node_modules/node-linux-*/include node_modules/node-linux-*/share node_modules/.package-lock.json

FROM debian:bookworm-slim
# Writable for any --user, as a new volume takes its mode from here; what Strongroom puts in is for its owner alone.
RUN mkdir /data && chmod 1777 /data
WORKDIR /opt/strongroom
COPY --from=packages /opt/strongroom/node_modules ./node_modules
COPY package.json strongroom LICENSE README.md ./
COPY src ./src
RUN ln -s /opt/strongroom/strongroom /usr/local/bin/strongroom
ENV NODE_ENV=production STRONGROOM_DATA=/data STRONGROOM_CONTAINER=1
VOLUME /data
WORKDIR /
USER 1000:1000
ENTRYPOINT ["/opt/strongroom/strongroom"]
CMD ["--help"]
