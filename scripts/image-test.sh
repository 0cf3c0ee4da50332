#!/bin/bash
# Builds the container image and runs it for real. Needs a builder and a runner of images, by default docker:
#   BUILD_IMAGE  called as: $BUILD_IMAGE CONTEXT TAG
#   RUN_IMAGE    called as: $RUN_IMAGE TAG DATA_FOLDER ARGS...  (DATA_FOLDER is mounted on /data; "-" mounts nothing), with
#                further options of "docker run" in the variable IMG_OPTS
# Not a part of "npm test": it takes minutes and wants to mount things.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tag=${1:-strongroom:test}
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
passed=0

docker_build() { docker build -q -t "$2" "$1"; }
docker_run() {
  local image=$1 data=$2 options mount=()
  shift 2
  read -r -a options <<<"${IMG_OPTS:-}"
  [ "$data" = - ] || mount=(-v "$data:/data")
  docker run --rm -i "${mount[@]}" "${options[@]}" "$image" "$@"
}
build=${BUILD_IMAGE:-docker_build}
run=${RUN_IMAGE:-docker_run}

# image EXPECTED_EXIT_CODE DATA_FOLDER ARGS...: standard output and error end up in $work/out and $work/err; standard input
# comes from $input.
image() {
  local expected=$1 data=$2 code=0
  shift 2
  "$run" "$tag" "$data" "$@" >"$work/out" 2>"$work/err" <"${input:-/dev/null}" || code=$?
  [ "$code" = "$expected" ] && return
  echo "FAILED: $* ended with $code instead of $expected" >&2
  cat "$work/out" "$work/err" >&2
  exit 1
}

# says FILE TEXT
says() {
  grep -qF -- "$2" "$work/$1" && return
  echo "FAILED: no \"$2\" in:" >&2
  cat "$work/$1" >&2
  exit 1
}

proved() {
  passed=$((passed + 1))
  echo "ok: $1"
}

# folder NAME OWNER: a folder of that user, as somebody who mounts one would make it.
folder() {
  mkdir -m 700 "$work/$1"
  if [ "$(id -u)" = 0 ]; then chown "$2" "$work/$1"; else chmod 777 "$work/$1"; fi
}

"$build" . "$tag"
proved 'the image is built'

image 0 - --version
image 0 - --help
says out 'Example:'
proved 'it answers --version and --help without a volume'

image 6 - backup /tmp/
says err 'a new container starts with an empty /data'
says err 'docker run -v'
proved 'without a volume it says that none is mounted, and how to mount one'

folder first 1000:1000
folder second 1000:1000
folder place 1000:1000
folder papers 1000:1000
printf 'one\n' >"$work/papers/one.txt"
mkdir "$work/papers/inner"
printf 'two\n' >"$work/papers/inner/two.txt"
chmod -R a+rX "$work/papers"

image 0 "$work/first" migrate
says out 'version 3, created'
image 0 "$work/first" migrate
says out 'as before'
proved 'migrate makes an instance in a volume, and is safe twice'

echo 'a long secret' >"$work/password"
input=$work/password image 0 "$work/first" user add ada --superuser
IMG_OPTS="-v $work/papers:/papers" image 0 "$work/first" import /papers --user ada --json
says out '"added":2'
image 0 "$work/first" tree --json --text
cp "$work/out" "$work/tree-before.json"
proved 'a user is added with a password from standard input, and a mounted folder is imported'

IMG_OPTS="-v $work/place:/place" image 0 "$work/first" backup /place/
archive=$(basename "$(ls "$work"/place/strongroom-*.tar.gz)")
IMG_OPTS="-v $work/place:/place" image 0 - verify "/place/$archive"
tar -tzf "$work/place/$archive" >/dev/null
proved "backup writes $archive to a mounted folder, and verify proves it"

"$run" "$tag" "$work/first" backup - >"$work/stream.tar.gz" 2>"$work/err"
tar -tzf "$work/stream.tar.gz" >/dev/null
proved 'backup - writes the archive to standard output'

IMG_OPTS="-v $work/place:/place" image 6 "$work/second" restore "/place/$archive"
says err 'migrate'
image 0 "$work/second" migrate
IMG_OPTS="-v $work/place:/place" image 0 "$work/second" restore "/place/$archive"
image 0 "$work/second" tree --json --text
cmp "$work/out" "$work/tree-before.json"
image 0 "$work/second" check
proved 'restore brings it back in a second volume, equal in all that tree shows; check is clean'

folder other 12345:12345
IMG_OPTS='--user 12345' image 0 "$work/other" migrate
IMG_OPTS='--user 12345:12345' image 0 "$work/other" user list
proved 'it works as another user: --user 12345'

if [ "$(id -u)" = 0 ]; then
  folder foreign 0:0
  image 8 "$work/foreign" migrate
  says err 'chown -R 1000:1000 /data'
  IMG_OPTS='--user 12345:12345' image 8 "$work/first" backup /tmp/
  says err 'chown -R 12345:12345 /data'
  proved 'a volume that its user may not write is refused with the chown that helps'
fi

IMG_OPTS='--read-only --tmpfs /tmp' image 0 "$work/first" tree
proved 'it runs with a read-only root'

echo "$passed passed, 0 failed, 0 skipped"
