#!/bin/sh
# Generates the package edgepb from the repository's messages of Polygon Edge.
set -eu
module=grpcstream.io/samples/interop
set -- identity.proto discovery.proto syncer.proto
for file in "$@"; do
  set -- "$@" "--go_opt=M$file=$module/edge/edgepb" "--go-grpc_opt=M$file=$module/edge/edgepb"
done
exec protoc --proto_path=../../../../proto/src/main/protobuf \
  --go_out=.. --go_opt="module=$module" --go-grpc_out=.. --go-grpc_opt="module=$module" "$@"
