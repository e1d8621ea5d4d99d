#!/bin/sh
# Generates the package ${1}pb from the repository's ${1}.proto.
set -eu
package=grpcstream.io/samples/interop/${1}pb
exec protoc --proto_path=../../../proto/src/main/protobuf \
  --go_out=. --go_opt=module=grpcstream.io/samples/interop --go_opt="M$1.proto=$package" \
  --go-grpc_out=. --go-grpc_opt=module=grpcstream.io/samples/interop --go-grpc_opt="M$1.proto=$package" \
  "$1.proto"
