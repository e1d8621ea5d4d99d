package io.grpcstream.samples.dynamic

import com.google.protobuf.Any
import com.google.protobuf.BoolValue
import com.google.protobuf.ByteString
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.DynamicMessage
import com.google.protobuf.StringValue
import com.google.protobuf.Timestamp
import com.google.protobuf.UnknownFieldSet
import com.google.rpc.BadRequest
import com.google.rpc.RetryInfo
import com.google.rpc.Status
import io.grpc.Metadata
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import java.io.PipedReader
import java.io.PipedWriter
import java.io.StringReader
import kotlin.io.path.writeText

private const val ALL = """
    syntax = "proto3";
    package all;
    import "google/protobuf/any.proto";
    import "google/protobuf/duration.proto";
    import "google/protobuf/field_mask.proto";
    import "google/protobuf/struct.proto";
    import "google/protobuf/timestamp.proto";
    import "google/protobuf/wrappers.proto";
    message All {
      int32 i32 = 1; uint32 u32 = 2; int64 i64 = 3; uint64 u64 = 4; float f = 5; double d = 6;
      bool b = 7; string s = 8; bytes by = 9; Colour c = 10; All nested = 11; repeated All more = 12;
      map<int32, string> m = 13; oneof x { string one = 14; int32 two = 15; }
      google.protobuf.Any any = 16; google.protobuf.Timestamp at = 17; google.protobuf.Duration took = 18;
      google.protobuf.FieldMask mask = 19; google.protobuf.Struct struct = 20; google.protobuf.Value value = 21;
      google.protobuf.StringValue text = 22; google.protobuf.NullValue nothing = 23; map<bool, All> flags = 24;
      optional int32 maybe = 25; string snake_case = 26; google.protobuf.BoolValue flag = 27;
    }
    enum Colour { RED = 0; GREEN = 1; }
"""

class JsonMessagesSpec :
    StringSpec({
        val schema by lazy {
            val file =
                tempdir()
                    .toPath()
                    .resolve(
                        "all.proto",
                    ).also { it.writeText(ALL.trimIndent()) }
            Schema.ofProtoFiles(listOf(file))
        }
        val json by lazy { JsonMessages(schema).compact() }
        val all by lazy { schema.find("all.All") as Descriptor }

        "messages come back as they were" {
            val same =
                listOf(
                    """{"i32":-1,"u32":4294967295,"i64":"-9223372036854775808","u64":"18446744073709551615"}""",
                    """{"f":1.5,"d":"NaN"}""",
                    """{"b":true,"s":"ä\"\n😀","by":"AP8=","c":"GREEN","nested":{"more":[{},{"s":"x"}]}}""",
                    """{"m":{"1":"a","-2":"b"},"one":"","flags":{"true":{"i32":1}},"maybe":0}""",
                    """{"at":"2030-01-31T12:00:00.500Z","took":"-1.500s","mask":"a,bC.d","text":"","flag":false}""",
                    """{"struct":{"a":[1.0,null,true,"x",{"b":{}}]},"value":null}""",
                    """{"any":{"@type":"type.googleapis.com/all.All","s":"x"}}""",
                    """{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}}""",
                    """{"any":{"@type":"type.googleapis.com/what.Ever","value":"AQI="}}""",
                )
            for (text in same) {
                val message = json.parse(text, all)
                DynamicMessage.parseFrom(all, message.toByteString()) shouldBe message
                json.print(message) shouldBe text
            }
        }

        "what is written otherwise means the same" {
            val equal =
                listOf(
                    """{"snake_case":"x","c":1,"i32":"7","u64":3,"d":"1e3"}""" to
                        """{"snakeCase":"x","c":"GREEN","i32":7,"u64":"3","d":1000.0}""",
                    """{"i32":1e2,"by":"-_-_","nested":null,"more":null}""" to
                        """{"i32":100,"by":"+/+/"}""",
                    """{"c":77}""" to """{"c":77}""",
                )
            for ((one, other) in equal) {
                val message = json.parse(one, all)
                json.parse(other, all) shouldBe message
            }
        }

        "what is wrong is told with its line, its field, and what may be meant" {
            val wrong =
                listOf(
                    "{\n  \"i32\": \"x\"\n}" to
                        "line 2, column 10: i32: expected an int32, found \"x\"",
                    """{"nested":{"more":[{},{"u32":-1}]}}""" to
                        "nested.more[1].u32: expected an uint32, found -1",
                    """{"i32":1.5}""" to "expected an int32, found 1.5",
                    """{"i32":1e999999999}""" to "expected an int32, found 1e999999999",
                    """{"i64":9223372036854775808}""" to "expected an int64",
                    """{"f":1e39}""" to "expected a float",
                    """{"b":"true"}""" to "b: expected true or false, found \"true\"",
                    """{"s":1}""" to "expected a string, found 1",
                    """{"by":"%"}""" to "no base64",
                    """{"c":"GREN"}""" to "no value \"GREN\" in all.Colour: it has GREEN",
                    """{"nested":[]}""" to "expected an object (all.All), found an array",
                    """{"more":{}}""" to "more: expected an array, found an object",
                    """{"snakecase":"x"}""" to
                        "no field \"snakecase\" in all.All: did you mean snakeCase?",
                    """{"i32":1,"i32":2}""" to "the field is there twice",
                    """{"one":"a","two":2}""" to "only one of one and two can be set",
                    """{"m":{"a":"b"}}""" to "m[\"a\"]: expected an int32",
                    """{"at":"yesterday"}""" to "at: expected a time such as",
                    """{"any":{"s":1}}""" to "an Any needs an \"@type\"",
                    """{"any":{"@type":"x/what.Ever","s":1}}""" to
                        "the type x/what.Ever is not known",
                    "{\"s\":\"x\"" to "expected a comma or }, found the end",
                    "{'s':'x'}" to "line 1, column 2: expected a name in quotes, found '''",
                    "{\"s\":x}" to "strings stand in double quotes",
                    "{} {}" to "there is more after the end",
                    "" to "found nothing",
                    "{\"nested\":".repeat(200) to "nested more than 100 deep",
                    "{\"i32\":${"1".repeat(2_000)}}" to "a number of more than 1000 characters",
                    "{\"i32\":01}" to "01 is no number",
                )
            for ((text, expected) in wrong) {
                shouldThrow<JsonException> { json.parse(text, all) }.message shouldContain expected
            }
            val failure =
                shouldThrow<JsonException> { json.parse("{\n\n\"nested\": {\"i32\": []}}", all) }
            failure.line shouldBe 3
            failure.path shouldBe "nested.i32"
        }

        "values of a stream are there as soon as their last character is" {
            val writer = PipedWriter()
            val text = JsonText(PipedReader(writer))
            writer.write("""{"s":"a"}""")
            json.print(json.next(text, all)!!) shouldBe """{"s":"a"}"""
            writer.write("{\"s\":\n\"b\"}{}")
            json.print(json.next(text, all)!!) shouldBe """{"s":"b"}"""
            json.print(json.next(text, all)!!) shouldBe "{}"
            writer.close()
            json.next(text, all) shouldBe null
            shouldThrow<JsonException> {
                JsonText(StringReader("{}\n{\"i32\": []}")).let {
                    json.next(it, all)
                    json.next(it, all)
                }
            }.line shouldBe 2
        }

        "whatever a peer sends is printed: what is unknown, wrong, or nested without end" {
            val unknown =
                UnknownFieldSet
                    .newBuilder()
                    .addField(
                        99,
                        UnknownFieldSet.Field
                            .newBuilder()
                            .addVarint(1)
                            .build(),
                    ).build()
            val odd =
                DynamicMessage
                    .newBuilder(all)
                    .setUnknownFields(unknown)
                    .setField(
                        all.findFieldByName("at"),
                        dynamic(
                            Timestamp.newBuilder().setSeconds(1L shl 62).build(),
                            all,
                            "at",
                        ),
                    ).setField(
                        all.findFieldByName("any"),
                        dynamic(
                            Any
                                .newBuilder()
                                .setTypeUrl(
                                    "x/all.All",
                                ).setValue(ByteString.copyFromUtf8("\u0001"))
                                .build(),
                            all,
                            "any",
                        ),
                    ).build()
            json.print(odd) shouldBe
                """{"any":{"@type":"x/all.All","value":"AQ=="},"at":{"seconds":"4611686018427387904"}}"""
            json.unknownFields(odd) shouldContainExactly setOf("99")
            var deep = Any.pack(BoolValue.of(true))
            repeat(5_000) { deep = Any.pack(deep) }
            json.print(deep) shouldStartWith
                """{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type""""
        }

        "fields that are not set are printed if they are asked for" {
            val shown =
                JsonMessages(
                    schema,
                    defaults = true,
                    indent = "",
                ).print(json.parse("{}", all))
            shown shouldStartWith """{"i32":0,"u32":0,"i64":"0","""
            shown shouldContain """"more":[],"m":{}"""
        }

        "details of errors are shown: those of google.rpc, and those that nobody knows" {
            val rich =
                Status
                    .newBuilder()
                    .setCode(3)
                    .addDetails(
                        Any.pack(
                            BadRequest
                                .newBuilder()
                                .apply {
                                    addFieldViolationsBuilder()
                                        .setField(
                                            "name",
                                        ).setDescription("too long")
                                }.build(),
                        ),
                    ).addDetails(Any.pack(RetryInfo.getDefaultInstance()))
                    .addDetails(Any.newBuilder().setTypeUrl("x/y.Z"))
                    .build()
            val key = Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER)
            val trailers = Metadata().apply { put(key, rich.toByteArray()) }
            ErrorDetails.json(trailers, json) shouldContainExactly
                listOf(
                    """{"@type":"type.googleapis.com/google.rpc.BadRequest",""" +
                        """"fieldViolations":[{"field":"name","description":"too long"}]}""",
                    """{"@type":"type.googleapis.com/google.rpc.RetryInfo"}""",
                    """{"@type":"x/y.Z"}""",
                )
            ErrorDetails.of(Metadata()) shouldBe null
            ErrorDetails.of(Metadata().apply { put(key, byteArrayOf(1)) }) shouldBe null
            json.print(StringValue.of("x")) shouldBe "\"x\""
        }
    })

private fun dynamic(
    message: com.google.protobuf.Message,
    type: Descriptor,
    field: String,
): DynamicMessage =
    DynamicMessage.parseFrom(type.findFieldByName(field).messageType, message.toByteString())
