package io.grpcstream.samples.peercurl

import com.google.protobuf.DescriptorProtos.FileDescriptorSet
import io.grpcstream.GrpcPeer
import io.grpcstream.greeter.GreeterProto
import io.grpcstream.libp2p.PeerId
import io.grpcstream.libp2p.crypto.PrivateKey
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldBeEmpty
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import kotlin.io.path.readText
import kotlin.io.path.writeBytes
import kotlin.io.path.writeText

private const val BARE = "/bare/1.0.0"

/** Commands that work on files: of protos, of keys; and those that need neither file nor peer. */
class FilesSpec :
    StringSpec({
        lateinit var peer: GrpcPeer
        beforeSpec { peer = kotlinPeer(MoodyGreeter(), BARE).started() }
        afterSpec { peer.close() }

        "a peer without reflection is called by its .proto files or a protoset" {
            val protoset = tempdir().toPath().resolve("greeter.protoset")
            val files =
                FileDescriptorSet.newBuilder().addFile(
                    GreeterProto.getDescriptor().toProto(),
                )
            protoset.writeBytes(files.build().toByteArray())
            val proto =
                Path
                    .of(
                        "..",
                        "..",
                        "proto",
                        "src",
                        "main",
                        "protobuf",
                        "greeter.proto",
                    ).toString()
            val call =
                listOf(
                    "call",
                    peer.address,
                    "greeter.Greeter/SayHello",
                    "--protocol",
                    BARE,
                    "--json",
                )
            val (none, byProto, byProtoset) =
                Executable.runAll(
                    listOf(
                        call,
                        call + listOf("--proto", proto),
                        call + listOf("--protoset", "$protoset"),
                    ),
                )
            none.exit shouldBe 76
            none.err shouldContain "the peer does not tell its services"
            byProto.out shouldBe "{\"message\":\"Hello, !\"}\n"
            byProtoset.out shouldBe byProto.out
        }

        "files are looked into without dialling anyone" {
            val file = tempdir().toPath().resolve("s.proto")
            file.writeText(
                "syntax = \"proto3\";\npackage s;\nservice S { rpc M(R) returns (R); }\nmessage R { int32 n = 1; }",
            )
            val nowhere = "/ip4/127.0.0.1/tcp/1/p2p/${peer.peerId()}"
            val wrong =
                tempdir().toPath().resolve("w.proto").also {
                    it.writeText("syntax = \"proto3\";\nmesage M {}")
                }
            val (list, describe, broken, absent) =
                Executable.runAll(
                    listOf(
                        listOf("list", nowhere, "s.S", "--proto", "$file"),
                        listOf("describe", nowhere, "s.R", "--proto", "$file"),
                        listOf("list", nowhere, "--proto", "$wrong"),
                        listOf("call", nowhere, "s.S/N", "--proto", "$file"),
                    ),
                )
            list.out shouldBe "s.S/M\n"
            describe.out shouldContain "message R {\n  int32 n = 1;\n}\n"
            broken.exit shouldBe 1
            broken.err shouldContain "w.proto:2"
            absent.exit shouldBe 2
            absent.err shouldContain "no method \"N\" of s.S"
        }

        "keys are made for their owner alone, shown, and converted to and fro" {
            val folder = tempdir().toPath()
            val key = folder.resolve("key")
            val made = Executable.run("key", "$key", "--type", "secp256k1")
            val peerId = PeerId.of(PrivateKey.load(key).publicKey())
            made.exit shouldBe 0
            made.out shouldContain "$peerId"
            made.out shouldContain "secp256k1"
            Executable
                .run(
                    "key",
                    "$key",
                    "--json",
                ).json
                .single()
                .asJsonObject["peer"]
                .asString shouldBe
                "$peerId"
            val pem = folder.resolve("key.pem")
            Executable.run("key", "$key", "--format", "pem", "--to", "$pem").exit shouldBe 0
            pem.readText() shouldStartWith "-----BEGIN PRIVATE KEY-----\n"
            PosixFilePermissions.toString(Files.getPosixFilePermissions(pem)) shouldBe "rw-------"
            val (base64, again, other, fresh) =
                Executable.runAll(
                    listOf(
                        listOf("key", "$pem", "--format", "base64"),
                        listOf("key", "$pem", "--to", "$key"),
                        listOf("key", "${folder.resolve("no").also { it.writeText("no key") }}"),
                        listOf("key", "--json"),
                    ),
                )
            KeyFormat.decode(base64.out.toByteArray()) shouldBe PrivateKey.load(key)
            base64.err shouldBe "of $peerId\n"
            val told = fresh.json.single().asJsonObject
            val freshKey = KeyFormat.decode(told["key"].asString.toByteArray())
            told["peer"].asString shouldBe PeerId.of(freshKey.publicKey()).toString()
            again.exit shouldBe 1
            again.err shouldContain "exists already"
            other.err shouldContain "holds no key"
        }

        "completion is what the shells take, and names every command" {
            val (bash, zsh, fish, help) =
                Executable.runAll(
                    listOf(
                        listOf("completion", "bash"),
                        listOf("completion", "zsh"),
                        listOf("completion", "fish"),
                        listOf("--help"),
                    ),
                )
            val file = tempdir().toPath().resolve("completion").also { it.writeText(bash.out) }
            ProcessBuilder("bash", "-n", "$file").start().waitFor() shouldBe 0
            for (command in commandLine().subcommands.keys) {
                bash.out shouldContain command
                fish.out shouldContain
                    "complete -c peercurl -n __fish_use_subcommand -a $command -d '"
                help.out shouldContain "\n  $command "
            }
            zsh.out shouldContain "bashcompinit"
            help.err.shouldBeEmpty()
        }

        "without a Java that it can use, it says which one it needs" {
            val folder = tempdir().toPath()
            for (tool in listOf("readlink", "sed", "head")) {
                val found =
                    listOf(
                        "/usr/bin/$tool",
                        "/bin/$tool",
                    ).map(Path::of).first(Files::exists)
                Files.createSymbolicLink(folder.resolve(tool), found)
            }
            val none = mapOf("PATH" to "$folder", "JAVA_HOME" to "")
            Executable.run("--version", environment = none).err shouldContain
                "needs Java 17 or later: there is no java"
            val old = folder.resolve("java")
            old.writeText("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
            Files.setPosixFilePermissions(old, PosixFilePermissions.fromString("rwx------"))
            val ended = Executable.run("--version", environment = none)
            ended.exit shouldBe 1
            ended.err shouldBe "peercurl: needs Java 17 or later, and $old is Java 11\n"
        }
    })
