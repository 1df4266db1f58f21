package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.semantics.Shift;
import gunyah.arm64.state.CpuState;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.MethodTypeDesc;

/**
 * Writes loads and stores of general registers, of what the TLB allows at once. Registers change only after the last
 * access of an instruction; a pair takes one look into the TLB.
 */
final class MemoryEmitter {
    private static final MethodTypeDesc ORDERED_LOAD = MethodTypeDesc.of(CD_long, CD_long, CD_int);
    private static final MethodTypeDesc ORDERED_STORE = MethodTypeDesc.of(CD_void, CD_long, CD_int, CD_long);
    private static final MethodTypeDesc LOAD_EXCLUSIVE = MethodTypeDesc.of(CD_long, Names.STATE, CD_long, CD_int);
    private static final MethodTypeDesc STORE_EXCLUSIVE = MethodTypeDesc.of(CD_long, Names.STATE, CD_long, CD_int,
            CD_long);
    private static final MethodTypeDesc EXCHANGE = MethodTypeDesc.of(CD_long, CD_long, CD_int, CD_long);
    private static final MethodTypeDesc COMPARE_SWAP = MethodTypeDesc.of(CD_long, CD_long, CD_int, CD_long, CD_long);
    private static final MethodTypeDesc OPERATE = MethodTypeDesc.of(CD_long, CD_long, CD_int, CD_int, CD_long);

    private final Emitter emit;
    private final CodeBuilder code;
    private final LookEmitter look;

    MemoryEmitter(Emitter emit, LookEmitter look) {
        this.emit = emit;
        this.look = look;
        this.code = emit.code;
    }

    /** {@return whether {@link #emit} writes it} */
    static boolean handles(Insn insn) {
        if (insn.op >= Ops.LDR_X && insn.op <= Ops.STP_X) {
            return true;
        }
        return insn.op == Ops.CALL && (insn.word >>> 25 & 7 & 5) == 4 && (insn.word >>> 26 & 1) == 0
                && (isTransfer(insn) || isPair(insn) || ordered(insn) != null);
    }

    static boolean isTransfer(Insn insn) {
        String name = insn.row.name();
        return (name.startsWith("LDRS") || name.startsWith("LDRH") || name.startsWith("STRH")
                || name.startsWith("LDRB") || name.startsWith("STRB") || name.startsWith("LDR_")
                || name.startsWith("STR_"))
                && (name.endsWith("_unsigned") || name.endsWith("_unscaled") || name.endsWith("_post")
                        || name.endsWith("_pre") || name.endsWith("_reg") || name.endsWith("_literal")
                        || isUnprivileged(insn));
    }

    /** LDTR and STTR. */
    private static boolean isUnprivileged(Insn insn) {
        return insn.row.name().endsWith("_unprivileged");
    }

    private static boolean isPair(Insn insn) {
        String name = insn.row.name();
        return name.startsWith("LDP_W") || name.startsWith("STP_W") || name.startsWith("LDPSW");
    }

    /** {@return the name of an ordered or atomic access without its size and what does not matter here, else null} */
    private static String ordered(Insn insn) {
        String name = insn.row.name();
        String bare = name.endsWith("_W") || name.endsWith("_X") ? name.substring(0, name.length() - 2)
                : name.endsWith("B") || name.endsWith("H") ? name.substring(0, name.length() - 1) : name;
        return switch (bare) {
            case "LDXR", "LDAXR" -> "loadExclusive";
            case "STXR", "STLXR" -> "storeExclusive";
            case "LDAR", "LDLAR" -> "read";
            case "LDAPR" -> "readAcquire";
            case "STLR", "STLLR" -> "write";
            case "SWP" -> "swap";
            case "CAS" -> "compareAndSwap";
            case "LDADD", "LDCLR", "LDEOR", "LDSET", "LDSMAX", "LDSMIN", "LDUMAX", "LDUMIN" -> "loadOperate";
            default -> null;
        };
    }

    /** {@return false when the instruction is none of these} */
    boolean emit(Insn insn, int slot) {
        if (!handles(insn)) {
            return false;
        }
        switch (insn.op) {
            case Ops.LDR_X, Ops.LDR_W, Ops.LDRH, Ops.LDRB, Ops.LDRSW, Ops.LDR_X_REG, Ops.LDR_W_REG, Ops.LDRH_REG,
                    Ops.LDRB_REG, Ops.STR_X, Ops.STR_W, Ops.STRH, Ops.STRB, Ops.STR_X_REG, Ops.STR_W_REG, Ops.STRB_REG,
                    Ops.LDR_X_WB, Ops.LDR_W_WB, Ops.LDRB_WB, Ops.STR_X_WB, Ops.STR_W_WB, Ops.STRB_WB ->
                transfer(insn, slot);
            case Ops.LDP_X -> loadPair(insn, true);
            case Ops.STP_X -> storePair(insn, true);
            default -> {
                if (isTransfer(insn)) {
                    transfer(insn, slot);
                } else if (!isPair(insn)) {
                    orderedAccess(insn);
                } else if (insn.row.name().startsWith("ST")) {
                    storePair(insn, false);
                } else {
                    loadPair(insn, false);
                }
            }
        }
        return true;
    }

    private static boolean isWriteBack(Insn insn) {
        String name = insn.row.name();
        return name.endsWith("_post") || name.endsWith("_pre");
    }

    private static int bytes(String name, Insn insn) {
        return isPair(insn) ? 8 : insn.op == Ops.LDP_X || insn.op == Ops.STP_X ? 16
                : name.startsWith("ST") ? 1 << (insn.word >>> 30)
                : name.startsWith("LDRSB") || name.startsWith("LDRB") ? 1
                : name.startsWith("LDRSH") || name.startsWith("LDRH") ? 2 : name.startsWith("LDR_X") ? 8 : 4;
    }

    /**
     * {@return what a load or store with the rights that others have accesses, or null when that is another instruction or
     * address}
     */
    static Place place(Insn insn) {
        String name = insn.row.name();
        if (!handles(insn) || ordered(insn) != null || name.endsWith("_literal") || isUnprivileged(insn)) {
            return null;
        }
        int bytes = bytes(name, insn);
        if (name.endsWith("_reg")) {
            boolean whole = insn.b != Shift.UXTW && insn.b != Shift.SXTW && insn.rm < CpuState.SP;
            return whole ? new Place(insn.rn, insn.rm, insn.a, 0, bytes, 0) : null;
        }
        boolean steps = isWriteBack(insn) || insn.op == Ops.LDP_X || insn.op == Ops.STP_X || isPair(insn);
        return new Place(insn.rn, Place.NONE, 0, steps ? insn.a : insn.imm, bytes, steps ? insn.b : 0);
    }

    private void transfer(Insn insn, int slot) {
        String name = insn.row.name();
        boolean store = name.startsWith("ST");
        Place place = place(insn);
        if (place != null) {
            look.host(store, place);
        } else {
            bankAndAddress(insn, name, slot);
            look.host(store, bytes(name, insn));
        }
        if (store) {
            store(insn.word >>> 30, insn.rd);
            if (isWriteBack(insn)) {
                advance(insn);
            }
        } else {
            load(name);
            if (isWriteBack(insn)) {
                code.lstore(Locals.TEMP_1);
                advance(insn);
                code.lload(Locals.TEMP_1);
            }
            emit.set(insn.rd);
        }
    }

    /** Stack: ... -> ..., bank, va of an access that is no {@link Place}. */
    private void bankAndAddress(Insn insn, String name, int slot) {
        if (isUnprivileged(insn)) {
            // its length, as of the other bank
            code.aload(Locals.MMU).invokevirtual(Names.MMU, "unprivilegedBank", Names.BANK).dup().arraylength().pop();
            emit.get(insn.rn);
            code.loadConstant(insn.imm).ladd();
            return;
        }
        code.aload(Locals.TLB);
        if (name.endsWith("_reg")) {
            extendedOffset(insn);
        } else {
            code.lload(Locals.PAGE_VA).loadConstant(slot * 4L + insn.imm).ladd();
        }
    }

    private void extendedOffset(Insn insn) {
        emit.get(insn.rn);
        emit.get(insn.rm);
        if (insn.b == Shift.UXTW) {
            emit.low();
        } else if (insn.b == Shift.SXTW) {
            code.l2i().i2l();
        }
        if (insn.a != 0) {
            code.loadConstant(insn.a).lshl();
        }
        code.ladd();
    }

    private void advance(Insn insn) {
        emit.get(insn.rn);
        code.loadConstant((long) insn.b).ladd();
        emit.set(insn.rn);
    }

    /** Stack: ..., host -> ..., value as the load of that name makes it. */
    private void load(String name) {
        if (name.startsWith("LDRSB")) {
            code.invokestatic(Names.DIRECT, "get8", Names.INT_OF_LONG).i2b();
        } else if (name.startsWith("LDRSH")) {
            code.invokestatic(Names.DIRECT, "get16", Names.INT_OF_LONG).i2s();
        } else if (name.startsWith("LDRB")) {
            code.invokestatic(Names.DIRECT, "get8", Names.INT_OF_LONG);
        } else if (name.startsWith("LDRH")) {
            code.invokestatic(Names.DIRECT, "get16", Names.INT_OF_LONG);
        } else if (name.startsWith("LDR_X")) {
            code.invokestatic(Names.DIRECT, "get64", Names.LONG_OF_LONG);
            return;
        } else {
            code.invokestatic(Names.DIRECT, "get32", Names.INT_OF_LONG);
        }
        if (name.startsWith("LDR_W") || name.startsWith("LDRSB_W") || name.startsWith("LDRSH_W")) {
            emit.zeroExtend();
        } else {
            code.i2l();
        }
    }

    /** Stack: ..., host -> ... */
    private void store(int sizeLog2, int register) {
        emit.get(register);
        if (sizeLog2 == 3) {
            code.invokestatic(Names.DIRECT, "put64", Names.WRITE_LONG);
            return;
        }
        code.l2i().invokestatic(Names.DIRECT, switch (sizeLog2) {
            case 2 -> "put32";
            case 1 -> "put16";
            default -> "put8";
        }, Names.WRITE_INT);
    }

    private void loadPair(Insn insn, boolean wide) {
        boolean signed = insn.row.name().startsWith("LDPSW");
        host(insn, false);
        code.lload(Locals.TEMP_4);
        hostLoad(wide, signed);
        code.lstore(Locals.TEMP_2).lload(Locals.TEMP_4).loadConstant(wide ? 8L : 4L).ladd();
        hostLoad(wide, signed);
        code.lstore(Locals.TEMP_3);
        if (insn.b != 0) {
            advance(insn);
        }
        code.lload(Locals.TEMP_2);
        emit.set(insn.rd);
        code.lload(Locals.TEMP_3);
        emit.set(insn.ra);
    }

    /** Host address to TEMP_4. */
    private void host(Insn insn, boolean store) {
        look.host(store, place(insn));
        code.lstore(Locals.TEMP_4);
    }

    private void hostLoad(boolean wide, boolean signed) {
        if (wide) {
            code.invokestatic(Names.DIRECT, "get64", Names.LONG_OF_LONG);
        } else {
            code.invokestatic(Names.DIRECT, "get32", Names.INT_OF_LONG);
            if (signed) {
                code.i2l();
            } else {
                emit.zeroExtend();
            }
        }
    }

    private void storePair(Insn insn, boolean wide) {
        host(insn, true);
        code.lload(Locals.TEMP_4);
        hostStore(insn.rd, wide);
        code.lload(Locals.TEMP_4).loadConstant(wide ? 8L : 4L).ladd();
        hostStore(insn.ra, wide);
        if (insn.b != 0) {
            advance(insn);
        }
    }

    private void hostStore(int register, boolean wide) {
        emit.get(register);
        if (wide) {
            code.invokestatic(Names.DIRECT, "put64", Names.WRITE_LONG);
        } else {
            code.l2i().invokestatic(Names.DIRECT, "put32", Names.WRITE_INT);
        }
    }

    private void orderedAccess(Insn insn) {
        String method = ordered(insn);
        boolean load = method.equals("loadExclusive") || method.startsWith("read");
        if (method.endsWith("Exclusive")) {
            code.aload(Locals.STATE);
        }
        code.aload(Locals.TLB);
        emit.get(insn.rn);
        code.loadConstant(insn.c)
                .invokestatic(Names.DIRECT, load ? "hostToLoadAligned" : "hostToStoreAligned", LookEmitter.HOST)
                .loadConstant(insn.c);
        switch (method) {
            case "loadExclusive" -> {
                code.invokestatic(Names.EXCLUSIVE, method, LOAD_EXCLUSIVE);
                emit.set(insn.rd);
            }
            case "read", "readAcquire" -> {
                code.invokestatic(Names.ORDERED, method, ORDERED_LOAD);
                emit.set(insn.rd);
            }
            case "write" -> {
                emit.get(insn.rd);
                code.invokestatic(Names.ORDERED, method, ORDERED_STORE);
            }
            case "storeExclusive" -> {
                emit.get(insn.rd);
                code.invokestatic(Names.EXCLUSIVE, method, STORE_EXCLUSIVE);
                emit.set(insn.rm);
            }
            case "swap" -> {
                emit.get(insn.rm);
                code.invokestatic(Names.ATOMIC, method, EXCHANGE);
                emit.set(insn.rd);
            }
            case "compareAndSwap" -> {
                // its rm is the plain field
                int compared = insn.rm == 31 ? CpuState.ZR_READ : insn.rm;
                emit.get(compared);
                emit.get(insn.rd);
                code.invokestatic(Names.ATOMIC, method, COMPARE_SWAP);
                emit.set(compared);
            }
            default -> {
                code.loadConstant(insn.a);
                emit.get(insn.rm);
                code.invokestatic(Names.ATOMIC, method, OPERATE);
                emit.set(insn.rd);
            }
        }
    }
}
