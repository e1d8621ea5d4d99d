package io.grpcstream.samples.dynamic

import com.google.protobuf.Any
import com.google.protobuf.BoolValue
import com.google.protobuf.ByteString
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.DynamicMessage
import com.google.protobuf.ExtensionRegistry
import com.google.protobuf.Message
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
import java.io.IOException
import java.io.PipedReader
import java.io.PipedWriter
import java.io.Reader
import java.io.StringReader
import kotlin.io.path.writeText

private const val ALL = """
    syntax = "proto3";
    package all;
    import "old.proto";
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
      old.Old old = 28;
    }
    enum Colour { RED = 0; GREEN = 1; }
"""

private const val OLD = """
    syntax = "proto2";
    package old;
    message Old { required string name = 1; optional Size size = 2; extensions 100 to 200; }
    enum Size { SMALL = 1; LARGE = 2; }
    extend Old { optional string extra = 100; }
"""

class JsonMessagesSpec :
    StringSpec({
        val schema by lazy {
            val folder = tempdir().toPath()
            folder.resolve("old.proto").writeText(OLD.trimIndent())
            Schema.ofProtoFiles(
                listOf(folder.resolve("all.proto").also { it.writeText(ALL.trimIndent()) }),
            )
        }
        val json by lazy { JsonMessages(schema).compact() }
        val all by lazy { schema.find("all.All") as Descriptor }

        "messages come back as they were" {
            val same =
                listOf(
                    """{"i32":-1,"u32":4294967295,"i64":"-9223372036854775808","u64":"18446744073709551615"}""",
                    """{"f":1.5,"d":"NaN"}""",
                    """{"f":"-Infinity","d":"Infinity"}""",
                    """{"b":true,"s":"ä\"\n😀 <can't>","by":"AP8=","c":"GREEN","nested":{"more":[{},{"s":"x"}]}}""",
                    """{"m":{"1":"a","-2":"b"},"one":"","flags":{"true":{"i32":1}},"maybe":0}""",
                    """{"at":"2030-01-31T12:00:00.500Z","took":"-1.500s","mask":"a,bC.d","text":"","flag":false}""",
                    """{"struct":{"a":[1.0,null,true,"x",{"b":{}}]},"value":null}""",
                    """{"any":{"@type":"type.googleapis.com/all.All","s":"x"}}""",
                    """{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}}""",
                    """{"any":{}}""",
                    """{"old":{"name":"x","size":"LARGE"}}""",
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
                    """{"i32":1e2,"by":"-_-_","more":null}""" to """{"i32":100,"by":"+/+/"}""",
                    """{"c":77}""" to """{"c":77}""",
                    """{'s': x, /* a comment */ "b": "true"}""" to """{"s":"x","b":true}""",
                    """{"s":1,"s":"the last one counts"}""" to """{"s":"the last one counts"}""",
                    """{"s":1}""" to """{"s":"1"}""",
                )
            for ((one, other) in equal) {
                json.parse(one, all) shouldBe json.parse(other, all)
            }
        }

        "what is wrong is told as JsonFormat and Gson tell it, with its line" {
            val wrong =
                listOf(
                    "\n {\n  \"i32\": \"x\"\n}" to "line 2: Not an int32 value: \"x\"",
                    """{"u32":-1}""" to "Out of range uint32 value: -1",
                    """{"i32":1.5}""" to "Not an int32 value: 1.5",
                    """{"i32":1e999999999}""" to "Not an int32 value: 1e999999999",
                    """{"i64":9223372036854775808}""" to "Not an int64 value",
                    """{"f":1e39}""" to "Out of range float value",
                    """{"b":1}""" to "Invalid bool value: 1",
                    """{"by":"%%%%"}""" to "Illegal base64 character 25",
                    """{"c":"GREN"}""" to "Invalid enum value: \"GREN\"",
                    """{"old":{"name":"x","size":7}}""" to "Invalid enum value: 7 for",
                    """{"nested":[]}""" to "Expect message object but got: []",
                    """{"more":{}}""" to "Expected an array for more but found {}",
                    """{"snakecase":"x"}""" to "Cannot find field: snakecase in message all.All",
                    """{"snake_case":"x","snakeCase":"x"}""" to "snake_case has already been set",
                    """{"one":"a","two":2}""" to "same oneof has already been set",
                    """{"m":{"a":"b"}}""" to "Not an int32 value: \"a\"",
                    """{"at":"yesterday"}""" to "Failed to parse timestamp",
                    """{"any":{"s":1}}""" to "Missing type url when parsing: {\"s\":1}",
                    """{"any":{"@type":"x/what.Ever","s":1}}""" to "Cannot resolve type: x/what",
                    """{"old":{}}""" to "missing required fields: name",
                    """{"old":{"name":"x","[old.extra]":"y"}}""" to "Cannot find field: [old",
                    "5" to "Expect message object but got: 5",
                    "null" to "Expect message object but got: null",
                    "{\"s\":\"x\"" to "End of input at line 1 column 9 path \$.s",
                    "{} {}" to "line 1: there is more after the end of the all.All",
                    "" to "expected a all.All, found nothing",
                    "{\"nested\":".repeat(200) to "Nesting limit 100 reached at line 1",
                    "{\"i32\":${"1".repeat(20_000)}}" to "Numeric value is too long: 20000",
                )
            for ((text, expected) in wrong) {
                shouldThrow<JsonException> { json.parse(text, all) }.message shouldContain expected
            }
            val failure =
                shouldThrow<JsonException> { json.parse("{\n\n\"nested\": {\"i32\": 5 6", all) }
            failure.line shouldBe 3
            failure.path shouldBe "nested.i32"
            val long = "x".repeat(100_000)
            val told =
                shouldThrow<JsonException> {
                    json.parse(
                        "{\"b\": \"$long\"}",
                        all,
                    )
                }.message!!
            told shouldStartWith "line 1: Invalid bool value: \"xxx"
            told.length shouldBe 1_000 + "line 1: ".length
        }

        "values of a stream are there as soon as their last character is" {
            val writer = PipedWriter()
            val text = JsonText(PipedReader(writer))
            writer.write("{}")
            json.print(json.next(text, all)!!) shouldBe "{}"
            writer.write("\n{\"s\":\n\"b\"}{}")
            json.print(json.next(text, all)!!) shouldBe """{"s":"b"}"""
            json.print(json.next(text, all)!!) shouldBe "{}"
            writer.write("\n{\"i32\": []}")
            shouldThrow<JsonException> { json.next(text, all) }.line shouldBe 4
            writer.write("{\"i32\": 1}  ")
            json.print(json.next(text, all)!!) shouldBe """{"i32":1}"""
            writer.close()
            json.next(text, all) shouldBe null
        }

        "a value that is too large is refused once it is, and a source that fails is told" {
            var read = 0L
            val endless =
                object : Reader() {
                    override fun read(
                        buffer: CharArray,
                        offset: Int,
                        length: Int,
                    ): Int {
                        buffer.fill('[', offset, offset + length)
                        if (read == 0L) "{\"s\":\"".toCharArray(buffer, offset)
                        read += length
                        return length
                    }

                    override fun close() = Unit
                }
            shouldThrow<JsonException> {
                json.next(
                    JsonText(endless, 100_000),
                    all,
                )
            }.message shouldContain
                "a value of more than 100,000 characters"
            (read < 102_000) shouldBe true
            val many = JsonText(StringReader("{\"s\":\"${"x".repeat(900)}\"}".repeat(500)), 2_000)
            repeat(500) { json.next(many, all)!! }
            json.next(many, all) shouldBe null
            val broken =
                object : Reader() {
                    override fun read(
                        buffer: CharArray,
                        offset: Int,
                        length: Int,
                    ): Int = throw IOException("unplugged")

                    override fun close() = Unit
                }
            shouldThrow<IOException> { json.next(JsonText(broken), all) }.message shouldBe
                "unplugged"
        }

        "an Any is printed as bytes if nobody knows its type, or it is malformed or deep" {
            val known = dynamic(all, """{"s":"x"}""", json)
            val anys =
                listOf(
                    Any
                        .newBuilder()
                        .setTypeUrl(
                            "x/what.Ever",
                        ).setValue(ByteString.copyFromUtf8("\u0001\u0002"))
                        .build() to
                        """{"@type":"x/what.Ever/google.protobuf.BytesValue","value":"AQI="}""",
                    Any
                        .newBuilder()
                        .setTypeUrl(
                            "x/all.All",
                        ).setValue(ByteString.copyFromUtf8("\u0001"))
                        .build() to
                        """{"@type":"x/all.All/google.protobuf.BytesValue","value":"AQ=="}""",
                    Any.newBuilder().setTypeUrl("what?").build() to
                        """{"@type":"what?/google.protobuf.BytesValue","value":""}""",
                    Any.newBuilder().setValue(ByteString.copyFromUtf8("a")).build() to
                        """{"@type":"/google.protobuf.BytesValue","value":"YQ=="}""",
                    Any
                        .newBuilder()
                        .setTypeUrl(
                            "x/all.All",
                        ).setValue(known.toByteString())
                        .build() to
                        """{"@type":"x/all.All","s":"x"}""",
                )
            for ((any, printed) in anys) {
                json.print(any) shouldBe printed
                val inside =
                    DynamicMessage
                        .newBuilder(
                            all,
                        ).setField(all.findFieldByName("any"), any)
                        .buildPartial()
                val around =
                    DynamicMessage
                        .newBuilder(all)
                        .addRepeatedField(all.findFieldByName("more"), inside)
                        .addRepeatedField(all.findFieldByName("more"), known)
                        .build()
                val parsed = DynamicMessage.parseFrom(all, around.toByteString())
                json.print(parsed) shouldBe """{"more":[{"any":$printed},{"s":"x"}]}"""
                json.print(Any.pack(Any.pack(any))) shouldContain printed
            }
            var deep = Any.pack(BoolValue.of(true))
            repeat(5_000) { deep = Any.pack(deep) }
            json.print(deep) shouldStartWith
                """{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type""""
        }

        "a message that has no form in JSON is printed as text, with the reason" {
            val late =
                DynamicMessage
                    .newBuilder(all)
                    .setField(
                        all.findFieldByName("at"),
                        DynamicMessage.parseFrom(
                            all.findFieldByName("at").messageType,
                            Timestamp
                                .newBuilder()
                                .setSeconds(Long.MAX_VALUE)
                                .build()
                                .toByteString(),
                        ),
                    ).build()
            val printed = json.print(late)
            printed shouldStartWith """{"@error":"no JSON for all.All: Timestamp is not valid."""
            printed shouldContain """"@text":"at {\n  seconds: 9223372036854775807\n}\n"}"""
        }

        "extensions are printed by their plain names; what no type knows is named apart" {
            val old = schema.find("old.Old") as Descriptor
            val extra =
                UnknownFieldSet.Field
                    .newBuilder()
                    .addLengthDelimited(
                        ByteString.copyFromUtf8("x"),
                    ).build()
            val unknown = UnknownFieldSet.newBuilder().addField(99, extra).addField(100, extra)
            val bytes =
                DynamicMessage
                    .newBuilder(old)
                    .setField(old.findFieldByName("name"), "a")
                    .setUnknownFields(unknown.build())
                    .build()
                    .toByteString()
            val message = DynamicMessage.parseFrom(old, bytes, schema.extensions)
            json.print(message) shouldBe """{"name":"a","extra":"x"}"""
            json.unknownFields(message) shouldContainExactly setOf("99")
            val around =
                DynamicMessage
                    .newBuilder(
                        all,
                    ).setField(all.findFieldByName("old"), message)
                    .build()
            json.unknownFields(around) shouldContainExactly setOf("old.99")
            json.unknownFields(
                DynamicMessage.parseFrom(old, bytes, ExtensionRegistry.getEmptyRegistry()),
            ) shouldContainExactly
                setOf("99", "100")
        }

        "what a terminal would obey is an escape" {
            val text = "\u009b31m \u007f \u202eevil\u2066"
            val printed = json.print(StringValue.of(text))
            printed shouldBe """"\u009b31m \u007f \u202eevil\u2066""""
            json
                .parse(printed, StringValue.getDescriptor())
                .allFields.values
                .single() shouldBe text
        }

        "fields that are not set are printed if they are asked for, and lines are indented" {
            val shown =
                JsonMessages(
                    schema,
                    defaults = true,
                    indent = "",
                ).print(json.parse("{}", all))
            shown shouldStartWith """{"i32":0,"u32":0,"i64":"0","""
            shown shouldContain """"more":[],"m":{}"""
            JsonMessages(
                schema,
                indent = "   ",
            ).print(json.parse("""{"nested":{"i32":1}}""", all)) shouldBe
                "{\n   \"nested\": {\n      \"i32\": 1\n   }\n}"
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
                    """{"@type":"x/y.Z/google.protobuf.BytesValue","value":""}""",
                )
            json.print(rich) shouldContain
                """"details":[{"@type":"type.googleapis.com/google.rpc.BadRequest""""
        }
    })

private fun dynamic(
    type: Descriptor,
    text: String,
    json: JsonMessages,
): Message = json.parse(text, type)
