package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import gunyah.arm64.translate.SharedLooks.Look;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.MethodTypeDesc;

/** Writes looks into the TLB: host addresses of what it allows at once. */
final class LookEmitter {
    static final MethodTypeDesc HOST = MethodTypeDesc.of(CD_long, Names.LONGS, CD_long, CD_int);
    private static final MethodTypeDesc ALLOWED = MethodTypeDesc.of(CD_boolean, Names.LONGS, CD_long, CD_int);
    private static final MethodTypeDesc SHARED_HOST = MethodTypeDesc.of(CD_long, Names.LONGS, CD_long);

    private final Emitter emit;
    private final CodeBuilder code;
    private Look shared;
    private Label alone;

    LookEmitter(Emitter emit) {
        this.emit = emit;
        this.code = emit.code;
    }

    /**
     * The next instruction's look is this one.
     *
     * @param look  null: its own
     * @param label where the instruction takes its own, when it is the first of the look
     */
    void share(Look look, Label label) {
        shared = look;
        alone = label;
    }

    /** Stack: ... -> ..., host address of a place. */
    void host(boolean store, Place place) {
        if (shared == null) {
            code.aload(Locals.TLB);
            address(place, place.offset());
            host(store, place.bytes());
            return;
        }
        if (shared.first()) {
            if (shared.loads()) {
                goOnIf("isReadable", place);
            }
            if (shared.stores()) {
                goOnIf("isWritable", place);
            }
            code.aload(Locals.TLB);
            address(place, shared.lowest());
            code.invokestatic(Names.DIRECT, "host", SHARED_HOST).lstore(Locals.host(shared.group()));
        }
        code.lload(Locals.host(shared.group()));
        if (shared.offset() != 0) {
            code.loadConstant(shared.offset()).ladd();
        }
    }

    private void goOnIf(String allowed, Place place) {
        code.aload(Locals.TLB);
        address(place, shared.lowest());
        code.loadConstant(shared.last()).invokestatic(Names.DIRECT, allowed, ALLOWED).ifeq(alone);
    }

    private void address(Place place, long offset) {
        emit.get(place.base());
        if (place.index() != Place.NONE) {
            emit.get(place.index());
            if (place.shift() != 0) {
                code.loadConstant(place.shift()).lshl();
            }
            code.ladd();
        }
        if (offset != 0) {
            code.loadConstant(offset).ladd();
        }
    }

    /** Stack: ..., bank, va -> ..., host address of {@code bytes} bytes. */
    void host(boolean store, int bytes) {
        code.loadConstant(bytes - 1).invokestatic(Names.DIRECT, store ? "hostToStore" : "hostToLoad", HOST);
    }
}
