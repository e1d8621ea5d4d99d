package io.grpcstream.samples.dynamic

import com.google.api.AnnotationsProto
import com.google.protobuf.DescriptorProtos.FileDescriptorSet
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.Descriptors.FieldDescriptor
import io.grpc.MethodDescriptor.MethodType
import io.grpcstream.greeter.GreeterProto
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Path
import kotlin.io.path.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.createParentDirectories
import kotlin.io.path.writeBytes
import kotlin.io.path.writeText

private const val ORDERS = """
    syntax = "proto3";
    package shop.v1;
    import "google/api/annotations.proto";
    import "google/protobuf/timestamp.proto";
    import "google/rpc/status.proto";
    import "google/type/money.proto";
    import public "shop/item.proto";
    import "shop/options.proto";

    option java_package = "shop";

    service Orders {
      option deprecated = true;
      rpc Get(GetRequest) returns (Order) {
        option idempotency_level = NO_SIDE_EFFECTS;
        option (google.api.http) = {
          get: "/v1/orders/{id}"
          additional_bindings { get: "/v1/o/{id}" }
        };
        option (shop.options.audit).reason = "say \"why\"";
        option (shop.options.audit).levels = 7;
      }
      rpc Watch(GetRequest) returns (stream .shop.v1.Order);
      rpc Put(stream Order) returns (google.rpc.Status) {}
      rpc Talk(stream Order) returns (stream Order);
    }

    message GetRequest { string id = 1 [json_name = "orderId", (shop.options.secret) = true]; }

    message Order {
      reserved 8, 10 to 12;
      reserved "old";
      message Line {
        Item item = 1;
        optional int32 count = 2;
      }
      enum State { UNKNOWN = 0; OPEN = 1; ALSO_OPEN = 1; option allow_alias = true; }
      string id = 1;
      repeated Line lines = 2;
      map<string, Line> by_name = 3;
      State state = 4;
      oneof paid { google.type.Money money = 5; bool never = 6; }
      google.protobuf.Timestamp at = 7;
      repeated sint64 numbers = 9 [packed = false];
    }
"""

private const val OPTIONS = """
    syntax = "proto2";
    package shop.options;
    import "google/protobuf/descriptor.proto";
    message Audit { optional string reason = 1; repeated int32 levels = 2; extensions 100 to max; }
    extend google.protobuf.MethodOptions { optional Audit audit = 50001; }
    extend google.protobuf.FieldOptions { optional bool secret = 50002; }
    message Old {
      required string name = 1 [default = "nobody"];
      optional group Part = 2 { optional int32 size = 1; }
      extend Audit { optional Old old = 100; }
    }
"""

class ProtoFilesSpec :
    StringSpec({
        fun write(
            root: Path,
            name: String,
            text: String,
        ): Path =
            root.resolve(name).createParentDirectories().also { it.writeText(text.trimIndent()) }

        fun shop(): Path {
            val root = tempdir().toPath()
            write(root, "shop/orders.proto", ORDERS)
            write(root, "shop/options.proto", OPTIONS)
            write(
                root,
                "shop/item.proto",
                "syntax = \"proto3\"; package shop.v1; message Item { string name = 1; }",
            )
            return root
        }

        "proto files are read with their imports, Google's common ones being there by themselves" {
            val root = shop()
            val schema =
                Schema.ofProtoFiles(
                    listOf(root.resolve("shop/orders.proto")),
                    listOf(root),
                )
            val orders = schema.service("shop.v1.Orders")
            orders.methods.map { it.kind } shouldContainExactly
                listOf(
                    MethodType.UNARY,
                    MethodType.SERVER_STREAMING,
                    MethodType.CLIENT_STREAMING,
                    MethodType.BIDI_STREAMING,
                )
            orders.options.deprecated shouldBe true
            val get = schema.method("shop.v1.Orders/Get")
            get.toGrpc().isSafe shouldBe true
            val http = get.options.getExtension(AnnotationsProto.http)
            http.get shouldBe "/v1/orders/{id}"
            http.getAdditionalBindings(0).get shouldBe "/v1/o/{id}"

            val order = schema.find("shop.v1.Order") as Descriptor
            order.findFieldByName("by_name").isMapField shouldBe true
            order.findFieldByName("numbers").isPacked shouldBe false
            order.findFieldByName("money").realContainingOneof!!.name shouldBe "paid"
            (
                schema.find(
                    "shop.v1.Order.Line",
                ) as Descriptor
            ).findFieldByName("count").hasPresence() shouldBe
                true
            schema.find("shop.v1.Item").fullName shouldBe "shop.v1.Item"
            order.toProto().reservedRangeList.map { it.start to it.end } shouldContainExactly
                listOf(8 to 9, 10 to 13)
            val json = JsonMessages(schema).compact()
            val text =
                """{"id":"1","lines":[{"item":{"name":"tea"},"count":0}],"byName":{"a":{}},""" +
                    """"state":"OPEN","money":{"currencyCode":"EUR"},"at":"2030-01-31T12:00:00Z","numbers":["-5"]}"""
            json.print(json.parse(text, order)) shouldBe text
        }

        "options of one's own are read, and fields have their names in JSON" {
            val root = shop()
            val schema = Schema.ofProtoFiles(listOf(Path("shop/orders.proto")), listOf(root))
            val audit = schema.find("shop.options.audit") as FieldDescriptor
            val method = schema.method("shop.v1.Orders/Get")
            val options =
                com.google.protobuf.DynamicMessage.parseFrom(
                    com.google.protobuf.DescriptorProtos.MethodOptions
                        .getDescriptor(),
                    method.options.toByteString(),
                    schema.extensions,
                )
            JsonMessages(
                schema,
            ).compact().print(options.getField(audit) as com.google.protobuf.Message) shouldBe
                """{"reason":"say \"why\"","levels":[7]}"""
            schema
                .method("shop.v1.Orders/Get")
                .inputType.fields
                .single()
                .jsonName shouldBe
                "orderId"
            val old = schema.find("shop.options.Old") as Descriptor
            old.findFieldByName("name").defaultValue shouldBe "nobody"
            old.findFieldByName("part").type shouldBe FieldDescriptor.Type.GROUP
            val json = JsonMessages(schema).compact()
            val text = """{"reason":"x","[shop.options.Old.old]":{"name":"n","part":{"size":1}}}"""
            json.print(json.parse(text, schema.find("shop.options.Audit") as Descriptor)) shouldBe
                text
        }

        "what is wrong with a proto file is told with its place" {
            val root = tempdir().toPath()
            val file =
                write(root, "a.proto", "syntax = \"proto3\";\nmessage M {\n  strin g name = 1;\n}")
            shouldThrow<SchemaException> { Schema.ofProtoFiles(listOf(file)) }.message shouldContain
                "a.proto:3"
            val importing = write(root, "b.proto", "import \"gone.proto\";")
            shouldThrow<SchemaException> {
                Schema.ofProtoFiles(
                    listOf(importing),
                )
            }.message shouldContain
                "there is no gone.proto, which b.proto imports, in"
            val unknown = write(root, "c.proto", "syntax = \"proto3\"; message M { Nope n = 1; }")
            shouldThrow<SchemaException> {
                Schema.ofProtoFiles(
                    listOf(unknown),
                )
            }.message shouldContain
                "\"Nope\""
            val option = write(root, "d.proto", "syntax = \"proto3\"; option (nope) = 1;")
            shouldThrow<SchemaException> {
                Schema.ofProtoFiles(
                    listOf(option),
                )
            }.message shouldContain
                "nope"
            val around = write(root, "e.proto", "import \"f.proto\";")
            write(root, "f.proto", "import \"e.proto\";")
            shouldThrow<SchemaException> {
                Schema.ofProtoFiles(
                    listOf(around),
                )
            }.message shouldContain
                "import each other: e.proto → f.proto → e.proto"
        }

        "protosets are read, and say what they lack" {
            val folder = tempdir().toPath().createDirectories()
            val whole = folder.resolve("greeter.protoset")
            whole.writeBytes(
                FileDescriptorSet
                    .newBuilder()
                    .addFile(
                        GreeterProto.getDescriptor().toProto(),
                    ).build()
                    .toByteArray(),
            )
            Schema
                .ofProtosets(listOf(whole))
                .service("greeter.Greeter")
                .methods.size shouldBe 4
            val partial = folder.resolve("partial.protoset")
            val importing =
                GreeterProto.getDescriptor().toProto().toBuilder().addDependency(
                    "gone.proto",
                )
            partial.writeBytes(
                FileDescriptorSet
                    .newBuilder()
                    .addFile(importing)
                    .build()
                    .toByteArray(),
            )
            shouldThrow<SchemaException> {
                Schema.ofProtosets(
                    listOf(partial),
                )
            }.message shouldContain
                "gone.proto"
            val text = folder.resolve("text").also { it.writeText("no protoset") }
            shouldThrow<SchemaException> { Schema.ofProtosets(listOf(text)) }.message shouldContain
                "is no protoset"
            shouldThrow<SchemaException> {
                Schema.ofProtosets(listOf(folder.resolve("no")))
            }.message shouldContain
                "there is no such file"
        }

        "what is not there is told with what is near, or what there is" {
            val folder = tempdir().toPath()
            val file =
                folder.resolve("g").also {
                    it.writeBytes(
                        FileDescriptorSet
                            .newBuilder()
                            .addFile(
                                GreeterProto.getDescriptor().toProto(),
                            ).build()
                            .toByteArray(),
                    )
                }
            val schema = Schema.ofProtosets(listOf(file))
            val messages =
                listOf<Pair<String, () -> Any>>(
                    "no service \"Greeter\": did you mean greeter.Greeter?" to
                        { schema.service("Greeter") },
                    "no service \"completely.Other\": there is greeter.Greeter" to
                        { schema.service("completely.Other") },
                    "no method \"SayHelo\" of greeter.Greeter: did you mean SayHello" to
                        { schema.method("greeter.Greeter/SayHelo") },
                    "a method is named as in pkg.Service/Method" to { schema.method("SayHello") },
                    "no symbol \"greeter.HelloReqest\": did you mean greeter.HelloRequest" to
                        { schema.find("greeter.HelloReqest") },
                )
            for ((expected, ask) in messages) {
                shouldThrow<UnknownSymbolException> { ask() }.message shouldContain expected
            }
        }
    })
