package io.grpcstream.samples.dynamic

import com.google.api.AnnotationsProto
import com.google.longrunning.OperationsProto
import com.google.protobuf.DescriptorProtos.DescriptorProto
import com.google.protobuf.DescriptorProtos.FileDescriptorProto
import com.google.protobuf.DescriptorProtos.MethodOptions
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.Descriptors.FieldDescriptor
import com.google.protobuf.Descriptors.FileDescriptor
import com.google.rpc.ErrorDetailsProto
import com.google.rpc.context.AttributeContextProto
import io.grpc.MethodDescriptor.MethodType
import io.grpcstream.benchmarks.LoadProto
import io.grpcstream.chat.ChatProto
import io.grpcstream.edge.DiscoveryProto
import io.grpcstream.edge.IdentityProto
import io.grpcstream.edge.SyncerProto
import io.grpcstream.greeter.GreeterProto
import io.grpcstream.interop.InteropProto
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Path
import kotlin.io.path.Path
import kotlin.io.path.createParentDirectories
import kotlin.io.path.writeText

private const val SHOP = """
    syntax = "proto3";
    package shop.v1;
    import "google/api/annotations.proto";
    import "google/protobuf/timestamp.proto";
    import "google/rpc/status.proto";
    import "google/type/money.proto";
    import "shop/all.proto";
    import "shop/options.proto";

    service Orders {
      option deprecated = true;
      rpc Get(GetRequest) returns (Order) {
        option idempotency_level = NO_SIDE_EFFECTS;
        option (google.api.http) = {
          get: "/v1/orders/{id}"
          additional_bindings { post: "/v1/o/{id}" body: "*" }
          additional_bindings { get: "/v1/p/{id}" }
        };
        option (shop.options.audit).reason = "say \"why\"";
        option (shop.options.audit).limits = { key: "a" value: 1 };
        option (shop.options.audit).kept = { seconds: 1 };
      }
      rpc Watch(GetRequest) returns (stream .shop.v1.Order);
      rpc Put(stream Order) returns (google.rpc.Status) {}
      rpc Talk(stream Order) returns (stream Order);
    }

    message GetRequest {
      string id = 1 [json_name = "orderId", (shop.options.secret) = true];
      oneof by { string other_id = 2 [json_name = "that"]; }
    }

    message Order {
      reserved 8, 10 to 12;
      reserved "old";
      message Line {
        Item item = 1;
        optional int32 count = 2;
        message Deep { optional bool is = 1; }
      }
      enum State { UNKNOWN = 0; OPEN = 1; ALSO_OPEN = 1; NEGATIVE = -1; option allow_alias = true; }
      string id = 1;
      repeated Line lines = 2;
      map<string, Line> by_name = 3;
      State state = 4;
      oneof paid { google.type.Money money = 5; bool never = 6; Line.Deep deep = 15; }
      google.protobuf.Timestamp at = 7;
      repeated sint64 numbers = 9 [packed = false];
      optional State maybe = 13;
      map<int64, State> states_of_it = 14;
    }
"""

private const val OPTIONS = """
    syntax = "proto2";
    package shop.options;
    import "google/protobuf/descriptor.proto";
    import "google/protobuf/duration.proto";
    message Audit {
      optional string reason = 1;
      map<string, int32> limits = 2;
      optional google.protobuf.Duration kept = 3;
      extensions 100 to max;
    }
    extend google.protobuf.MethodOptions { optional Audit audit = 50001; }
    extend google.protobuf.FieldOptions { optional bool secret = 50002; }
    message Old {
      required string name = 1 [default = "no\"body", json_name = "called"];
      optional double ratio = 2 [default = -inf];
      optional Level level = 3 [default = HIGH];
      repeated int32 packed = 4 [packed = true];
      optional bytes raw = 5 [default = "\001x"];
      enum Level { LOW = 0; HIGH = 0x10; }
      extend Audit { optional Old old = 100; }
      message Inner { extend Audit { repeated Level levels = 101 [packed = true]; } }
    }
    extend Audit { optional int32 top = 102 [default = 7]; }
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
            write(root, "shop/orders.proto", SHOP)
            write(root, "shop/options.proto", OPTIONS)
            write(root, "shop/all.proto", "syntax = \"proto3\"; import public \"shop/item.proto\";")
            write(
                root,
                "shop/item.proto",
                "syntax = \"proto3\"; package shop.v1; message Item { string name = 1; }",
            )
            return root
        }

        "files of this project are what protoc says of them" {
            val sources = Path("../../proto/src/main/protobuf")
            val generated =
                listOf(
                    ChatProto.getDescriptor(),
                    DiscoveryProto.getDescriptor(),
                    GreeterProto.getDescriptor(),
                    IdentityProto.getDescriptor(),
                    InteropProto.getDescriptor(),
                    LoadProto.getDescriptor(),
                    SyncerProto.getDescriptor(),
                )
            val read = Schema.ofProtoFiles(generated.map { Path(it.name) }, listOf(sources))
            for ((ours, protocs) in read.files.zip(generated)) {
                compared(ours) shouldBe
                    compared(protocs)
            }
        }

        "Google's files, with their options, are what protoc says of them" {
            val generated =
                listOf(
                    OperationsProto.getDescriptor(),
                    ErrorDetailsProto.getDescriptor(),
                    AttributeContextProto.getDescriptor(),
                    com.google.api.ClientProto
                        .getDescriptor(),
                    com.google.api.ResourceProto
                        .getDescriptor(),
                    com.google.api.ServiceProto
                        .getDescriptor(),
                    com.google.type.DateTimeProto
                        .getDescriptor(),
                    com.google.cloud.location.LocationsProto
                        .getDescriptor(),
                )
            for (protocs in generated) {
                val read =
                    Schema.ofProtoFiles(
                        listOf(Path(protocs.name)),
                        listOf(tempdir().toPath()),
                    )
                compared(read.files.single()) shouldBe compared(protocs)
            }
        }
        "messages, services and options of all kinds are read; options of one's own are left out" {
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
            http.additionalBindingsList.map { it.post + it.get } shouldContainExactly
                listOf("/v1/o/{id}", "/v1/p/{id}")
            get.options.unknownFields
                .asMap()
                .size shouldBe 0
            get.inputType.fields.map { it.jsonName } shouldContainExactly listOf("orderId", "that")

            val order = schema.find("shop.v1.Order") as Descriptor
            order.findFieldByName("by_name").isMapField shouldBe true
            order.findFieldByName("numbers").isPacked shouldBe false
            order.findFieldByName("money").realContainingOneof!!.name shouldBe "paid"
            order.findFieldByName("maybe").realContainingOneof shouldBe null
            order.findFieldByName("maybe").hasPresence() shouldBe true
            order.findFieldByName("state").hasPresence() shouldBe false
            schema.find("shop.v1.Order.Line.Deep").fullName shouldBe "shop.v1.Order.Line.Deep"
            val json = JsonMessages(schema).compact()
            val text =
                """{"id":"1","lines":[{"item":{"name":"tea"},"count":0}],"byName":{"a":{}},""" +
                    """"state":"OPEN","money":{"currencyCode":"EUR"},""" +
                    """"at":"2030-01-31T12:00:00Z",""" +
                    """"numbers":["-5"],"maybe":"NEGATIVE","statesOfIt":{"-1":"OPEN"}}"""
            json.print(json.parse(text, order)) shouldBe text
        }

        "files in proto2 have their defaults, names in JSON, and extensions where they are" {
            val root = shop()
            val schema = Schema.ofProtoFiles(listOf(Path("shop/options.proto")), listOf(root))
            val old = schema.find("shop.options.Old") as Descriptor
            old.findFieldByName("name").isRequired shouldBe true
            old.findFieldByName("name").defaultValue shouldBe "no\"body"
            old.findFieldByName("name").jsonName shouldBe "called"
            old.findFieldByName("ratio").defaultValue shouldBe Double.NEGATIVE_INFINITY
            old.findFieldByName("level").defaultValue shouldBe
                old.enumTypes.single().findValueByName("HIGH")
            old.enumTypes
                .single()
                .findValueByName("HIGH")
                .number shouldBe 16
            old.findFieldByName("packed").isPacked shouldBe true
            val top = schema.find("shop.options.top") as FieldDescriptor
            top.containingType.fullName shouldBe "shop.options.Audit"
            top.defaultValue shouldBe 7
            (schema.find("shop.options.Old.old") as FieldDescriptor).messageType shouldBe old
            val levels = schema.find("shop.options.Old.Inner.levels") as FieldDescriptor
            levels.isRepeated shouldBe true
            levels.extensionScope.fullName shouldBe "shop.options.Old.Inner"
        }

        "files without packages, and several at a time, each with what is beside it" {
            val root = tempdir().toPath()
            val service = "service One { rpc Do(Two) returns (Two); }"
            val one =
                write(root, "a/one.proto", "syntax = \"proto3\"; import \"two.proto\"; $service")
            write(root, "a/two.proto", "syntax = \"proto3\"; message Two {}")
            val three = write(root, "b/three.proto", "message Three { repeated Three more = 1; }")
            val schema = Schema.ofProtoFiles(listOf(one, three))
            schema.method("One/Do").inputType.fullName shouldBe "Two"
            schema.find("Three").file.name shouldBe "three.proto"
        }

        "what is wrong in a file is told with its line" {
            val root = tempdir().toPath()
            val wrong =
                listOf(
                    "syntax = \"proto3\";\n\nmessage {" to "0.proto:3",
                    "import \"gone.proto\";" to
                        "there is no gone.proto, which 1.proto imports, in $root",
                    "syntax = \"proto3\";\nmessage M { Nope n = 1; }" to "unable to resolve Nope",
                    "syntax = \"proto3\"; option (nope) = 1;" to "unable to resolve option nope",
                    "import \"4.proto\";" to "4.proto",
                    "edition = \"2023\";" to "edition is not currently supported",
                    "message M { optional group G = 1 {} }" to "'group' is not supported",
                    "message M { optional string a = 1; optional string b = 1; }" to "share tag 1",
                )
            for ((index, file) in wrong.withIndex()) {
                val (text, expected) = file
                val path = write(root, "$index.proto", text)
                shouldThrow<SchemaException> {
                    Schema.ofProtoFiles(
                        listOf(path),
                    )
                }.message shouldContain
                    expected
            }
            shouldThrow<SchemaException> {
                Schema.ofProtoFiles(listOf(root.resolve("no.proto")))
            }.message shouldContain
                "there is no no.proto in $root"
        }
    })

/** What matters for calls: neither what is reserved, nor names in JSON that are as ever. */
private fun compared(file: FileDescriptor): FileDescriptorProto =
    file
        .toProto()
        .toBuilder()
        .clearSourceCodeInfo()
        .apply {
            messageTypeBuilderList.forEach(::simplify)
            serviceBuilderList
                .flatMap { it.methodBuilderList }
                .filter { it.options == MethodOptions.getDefaultInstance() }
                .forEach { it.clearOptions() }
            enumTypeBuilderList.forEach { it.clearReservedRange().clearReservedName() }
            extensionBuilderList.forEach { it.clearJsonName() }
        }.build()

private fun simplify(message: DescriptorProto.Builder) {
    message.clearReservedRange().clearReservedName()
    message.fieldBuilderList.forEach { it.clearJsonName() }
    message.extensionBuilderList.forEach { it.clearJsonName() }
    message.enumTypeBuilderList.forEach { it.clearReservedRange().clearReservedName() }
    message.nestedTypeBuilderList.forEach(::simplify)
}
