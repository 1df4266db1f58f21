package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import gunyah.arm64.Cpu;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Semantics;
import gunyah.arm64.mmu.DirectMemory;
import gunyah.arm64.mmu.Miss;
import gunyah.arm64.mmu.Mmu;
import gunyah.arm64.fp.CryptoHalves;
import gunyah.arm64.fp.UsualFp;
import gunyah.arm64.fp.VectorHalves;
import gunyah.arm64.semantics.Atomic;
import gunyah.arm64.semantics.Crc32;
import gunyah.arm64.semantics.Exclusive;
import gunyah.arm64.semantics.Flags;
import gunyah.arm64.semantics.Ordered;
import gunyah.arm64.semantics.Shift;
import gunyah.arm64.state.CpuState;
import gunyah.arm64.state.VcpuControl;
import gunyah.arm64.sysreg.SystemRegisters;
import gunyah.memory.UncheckedArray;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.util.List;

/** The classes and method types that generated code names. */
final class Names {
    static final ClassDesc CPU = desc(Cpu.class);
    static final ClassDesc STATE = desc(CpuState.class);
    static final ClassDesc MMU = desc(Mmu.class);
    static final ClassDesc CONTROL = desc(VcpuControl.class);
    static final ClassDesc SYSTEM_REGISTERS = desc(SystemRegisters.class);
    static final ClassDesc INSN = desc(Insn.class);
    static final ClassDesc SEMANTICS = desc(Semantics.class);
    static final ClassDesc REGION = desc(Region.class);
    static final ClassDesc FLAGS = desc(Flags.class);
    static final ClassDesc PENDING = desc(PendingFlags.class);
    static final ClassDesc UNCHECKED_ARRAY = desc(UncheckedArray.class);
    static final ClassDesc LONGS = CD_long.arrayType();
    static final ClassDesc MATH = desc(Math.class);
    static final ClassDesc EXCLUSIVE = desc(Exclusive.class);
    static final ClassDesc ATOMIC = desc(Atomic.class);
    static final ClassDesc SHIFT = desc(Shift.class);
    static final ClassDesc CRC32 = desc(Crc32.class);
    static final ClassDesc DOUBLE = desc(Double.class);
    static final ClassDesc FLOAT = desc(Float.class);
    static final ClassDesc USUAL = desc(UsualFp.class);
    static final ClassDesc HALVES = desc(VectorHalves.class);
    static final ClassDesc CRYPTO = desc(CryptoHalves.class);
    static final ClassDesc DIRECT = desc(DirectMemory.class);
    static final ClassDesc MISS = desc(Miss.class);
    static final ClassDesc ORDERED = desc(Ordered.class);
    static final ClassDesc LONG = desc(Long.class);
    static final ClassDesc INTEGER = desc(Integer.class);

    static final MethodTypeDesc INT_OF_LONGS_3 = MethodTypeDesc.of(CD_int, CD_long, CD_long, CD_long);
    static final MethodTypeDesc INT_OF_INTS_3 = MethodTypeDesc.of(CD_int, CD_int, CD_int, CD_int);
    static final MethodTypeDesc INT_OF_LONG = MethodTypeDesc.of(CD_int, CD_long);
    static final MethodTypeDesc INT_OF_INT = MethodTypeDesc.of(CD_int, CD_int);
    static final MethodTypeDesc INT = MethodTypeDesc.of(CD_int);
    static final MethodTypeDesc NZCV = MethodTypeDesc.of(CD_int, CD_int, CD_int, CD_long, CD_long);
    static final MethodTypeDesc HOLDS = MethodTypeDesc.of(CD_boolean, CD_int, CD_int);
    static final MethodTypeDesc BANK = MethodTypeDesc.of(LONGS);
    static final MethodTypeDesc LONG_OF_LONG = MethodTypeDesc.of(CD_long, CD_long);
    static final MethodTypeDesc LONG_OF_LONGS_3 = MethodTypeDesc.of(CD_long, CD_long, CD_long, CD_long);
    static final MethodTypeDesc LONG_OF_LONGS_2 = MethodTypeDesc.of(CD_long, CD_long, CD_long);
    static final MethodTypeDesc LONG_OF_LONG_INT = MethodTypeDesc.of(CD_long, CD_long, CD_int);
    static final MethodTypeDesc LONG_OF_LONG_INTS_2 = MethodTypeDesc.of(CD_long, CD_long, CD_int, CD_int);
    static final MethodTypeDesc SHIFT_INT = MethodTypeDesc.of(CD_int, CD_int, CD_int, CD_int);
    static final MethodTypeDesc CRC = MethodTypeDesc.of(CD_int, CD_int, CD_long);
    static final MethodTypeDesc COMPARED = MethodTypeDesc.of(CD_int, CD_double, CD_double);
    static final MethodTypeDesc DOUBLE_OF_LONG = MethodTypeDesc.of(CD_double, CD_long);
    static final MethodTypeDesc LONG_OF_DOUBLE = MethodTypeDesc.of(CD_long, CD_double);
    static final MethodTypeDesc FLOAT_OF_INT = MethodTypeDesc.of(CD_float, CD_int);
    static final MethodTypeDesc INT_OF_FLOAT = MethodTypeDesc.of(CD_int, CD_float);
    static final MethodTypeDesc USUAL_OF_STATE = MethodTypeDesc.of(CD_boolean, STATE);
    static final MethodTypeDesc COMPARE_INTS = MethodTypeDesc.of(CD_int, CD_int, CD_int);
    static final MethodTypeDesc COMPARE_LONGS = MethodTypeDesc.of(CD_int, CD_long, CD_long);
    static final MethodTypeDesc WRITE_INT = MethodTypeDesc.of(CD_void, CD_long, CD_int);
    static final MethodTypeDesc WRITE_LONG = MethodTypeDesc.of(CD_void, CD_long, CD_long);
    static final MethodTypeDesc EXECUTE = MethodTypeDesc.of(CD_void, CPU, INSN);
    static final MethodTypeDesc RUN = MethodTypeDesc.of(CD_void, CPU, CD_long, CD_int, CD_long);
    static final MethodTypeDesc GET_ELEMENT = MethodTypeDesc.of(CD_long, LONGS, CD_int);
    static final MethodTypeDesc SET_ELEMENT = MethodTypeDesc.of(CD_void, LONGS, CD_int, CD_long);

    private Names() {
    }

    /** Initializes every class that generated code calls: HotSpot compiles no call of one that is not. */
    static void initialize() {
        for (Class<?> type : List.of(PendingFlags.class, Flags.class, Shift.class, Crc32.class, Exclusive.class,
                Atomic.class, Ordered.class, DirectMemory.class, Miss.class, UsualFp.class, VectorHalves.class,
                CryptoHalves.class, UncheckedArray.class)) {
            try {
                MethodHandles.lookup().ensureInitialized(type);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }
        DirectMemory.rehearse();
    }

    private static ClassDesc desc(Class<?> type) {
        return type.describeConstable().orElseThrow();
    }
}
