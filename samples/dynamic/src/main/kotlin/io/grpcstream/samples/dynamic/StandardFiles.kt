package io.grpcstream.samples.dynamic

import com.google.api.AnnotationsProto
import com.google.api.ClientProto
import com.google.api.FieldBehaviorProto
import com.google.api.HttpProto
import com.google.api.LaunchStageProto
import com.google.api.ResourceProto
import com.google.protobuf.AnyProto
import com.google.protobuf.ApiProto
import com.google.protobuf.DescriptorProtos
import com.google.protobuf.Descriptors.FileDescriptor
import com.google.protobuf.DurationProto
import com.google.protobuf.EmptyProto
import com.google.protobuf.ExtensionRegistry
import com.google.protobuf.FieldMaskProto
import com.google.protobuf.JavaFeaturesProto
import com.google.protobuf.SourceContextProto
import com.google.protobuf.StructProto
import com.google.protobuf.TimestampProto
import com.google.protobuf.TypeProto
import com.google.protobuf.WrappersProto
import com.google.rpc.CodeProto
import com.google.rpc.ErrorDetailsProto
import com.google.rpc.StatusProto

/** The files that others import without bringing them along. */
internal object StandardFiles {
    /** protobuf's own: everybody's copy says the same, so that ours stands for it. */
    private val protobuf: Map<String, FileDescriptor> =
        listOf(
            AnyProto.getDescriptor(),
            ApiProto.getDescriptor(),
            DescriptorProtos.getDescriptor(),
            DurationProto.getDescriptor(),
            EmptyProto.getDescriptor(),
            FieldMaskProto.getDescriptor(),
            JavaFeaturesProto.getDescriptor(),
            SourceContextProto.getDescriptor(),
            StructProto.getDescriptor(),
            TimestampProto.getDescriptor(),
            TypeProto.getDescriptor(),
            WrappersProto.getDescriptor(),
        ).associateBy { it.name }

    /** Those of Google's APIs that errors and options are made of. */
    private val google: Map<String, FileDescriptor> by lazy {
        listOf(
            AnnotationsProto.getDescriptor(),
            ClientProto.getDescriptor(),
            FieldBehaviorProto.getDescriptor(),
            HttpProto.getDescriptor(),
            LaunchStageProto.getDescriptor(),
            ResourceProto.getDescriptor(),
            CodeProto.getDescriptor(),
            ErrorDetailsProto.getDescriptor(),
            StatusProto.getDescriptor(),
        ).associateBy { it.name }
    }

    /** The options that are read where files have them: `google.api.http` and its like. */
    val options: ExtensionRegistry by lazy {
        ExtensionRegistry.newInstance().apply {
            AnnotationsProto.registerAllExtensions(this)
            ClientProto.registerAllExtensions(this)
            FieldBehaviorProto.registerAllExtensions(this)
            ResourceProto.registerAllExtensions(this)
        }
    }

    /** The file that stands for whatever copy of it anyone brings, or null. */
    fun own(name: String): FileDescriptor? = protobuf[name]

    /** The file for those that do not bring it, or null. */
    fun missing(name: String): FileDescriptor? = protobuf[name] ?: google[name]

    /** What any peer may put into an Any: error details, and protobuf's own. */
    fun known(): List<FileDescriptor> =
        protobuf.values + listOf(ErrorDetailsProto.getDescriptor(), StatusProto.getDescriptor())
}
