package gunyah.arm64.translate;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.semantics.Shift;
import gunyah.arm64.state.CpuState;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.MethodTypeDesc;
import java.util.Locale;

/**
 * Writes vector instructions that set no flag: loads and stores, copies, logic and integer arithmetic, each half of a
 * register by itself; and sends floating point to its own emitter. Vector registers are pairs of locals.
 */
final class VectorEmitter {
    private static final MethodTypeDesc HALF_OF_2 = MethodTypeDesc.of(CD_long, CD_int, CD_long, CD_long);
    private static final MethodTypeDesc HALF_OF_3 = MethodTypeDesc.of(CD_long, CD_long, CD_long, CD_long);
    private static final MethodTypeDesc SHIFTED = MethodTypeDesc.of(CD_long, CD_int, CD_int, CD_long);
    private static final MethodTypeDesc NARROWED = MethodTypeDesc.of(CD_long, CD_int, CD_int, CD_long, CD_long);
    private static final MethodTypeDesc CRYPTO_OF_3 = MethodTypeDesc.of(CD_long, CD_int, CD_long, CD_long, CD_long);
    private static final MethodTypeDesc CRYPTO_OF_4 = MethodTypeDesc.of(CD_long, CD_int, CD_long, CD_long, CD_long,
            CD_long);
    private static final MethodTypeDesc CRYPTO_OF_6 = MethodTypeDesc.of(CD_long, CD_int, CD_long, CD_long, CD_long,
            CD_long, CD_long, CD_long);
    private static final MethodTypeDesc REPLICATED = MethodTypeDesc.of(CD_long, CD_int, CD_long);

    private final Emitter emit;
    private final CodeBuilder code;
    private final FpEmitter floating;
    private final LookEmitter look;

    VectorEmitter(Emitter emit, FlagsEmitter flags, LookEmitter look) {
        this.emit = emit;
        this.look = look;
        this.code = emit.code;
        this.floating = new FpEmitter(emit, flags);
    }

    /** {@return whether {@link #emit} writes it} */
    static boolean handles(Insn insn) {
        if (insn.op != Ops.CALL) {
            return false;
        }
        int group = insn.word >>> 25 & 15;
        if ((group & 5) == 4 && (insn.word >>> 26 & 1) == 1) {
            return isTransfer(insn.row.name());
        }
        return (group & 7) == 7 && (isVector(insn) || FpEmitter.handles(insn));
    }

    /** {@return whether it leaves its flags as a pending comparison} */
    static boolean isCompare(Insn insn) {
        return FpEmitter.isCompare(insn);
    }

    private static boolean isTransfer(String name) {
        return name.contains("_fpsimd") && !name.contains("lit") || isWholeRegisters(name);
    }

    /** {@return whether it is LD1 or ST1 of one to four registers} */
    private static boolean isWholeRegisters(String name) {
        return name.contains("reg_mult");
    }

    private static boolean isVector(Insn insn) {
        String name = insn.row.name();
        return switch (name) {
            case "AND_v", "BIC_v", "ORR_v", "ORN_v", "EOR_v", "BSL_v", "BIT_v", "BIF_v", "ADD_v", "SUB_v", "MUL_v",
                    "MLA_v", "MLS_v", "CMGT_v", "CMGE_v", "CMHI_v", "CMHS_v", "CMEQ_v", "CMTST_v", "SMAX_v", "UMAX_v",
                    "SMIN_v", "UMIN_v", "SDOT_v", "UDOT_v", "USHR_imm_v", "SSHR_imm_v", "SHL_imm_v", "USRA_imm_v",
                    "DUP_asimdins_DV_v", "DUP_asimdins_DR_r", "UMOV_asimdins", "INS_asimdins_IR_r",
                    "FMOV_float_gen_WS", "FMOV_float_gen_SW", "FMOV_float_gen_XD", "FMOV_float_gen_DX",
                    "CMEQ_z_v", "SHRN_v", "REV16_v", "REV32_v", "REV64_v", "EXT", "UMAXP_v", "UMINP_v",
                    "INS_asimdins_IV_v", "AESE", "AESD", "AESMC", "AESIMC", "PMULL_v_1Q",
                    "SHA256H", "SHA256H2", "SHA256SU0", "SHA256SU1" -> true;
            case "ADDP_v" -> insn.a != 3;
            default -> name.startsWith("MOVI_") || name.startsWith("MVNI_") || name.startsWith("FMOV_asimdimm");
        };
    }

    /** {@return false when the instruction is none of these} */
    boolean emit(Insn insn) {
        if (!handles(insn)) {
            return false;
        }
        String name = insn.row.name();
        if (name.contains("_fpsimd")) {
            memory(insn, name);
        } else if (isWholeRegisters(name)) {
            wholeRegisters(insn, name.startsWith("LD"));
        } else if (!isVector(insn)) {
            floating.emit(insn);
        } else {
            vector(insn, name);
        }
        return true;
    }

    // Memory

    private static boolean isWriteBack(String name) {
        return name.contains("_post") || name.contains("_pre");
    }

    /** {@return what a load or store accesses, or null when that is another instruction or address} */
    static Place place(Insn insn) {
        String name = insn.row.name();
        if (!handles(insn) || !name.contains("_fpsimd")) {
            return null;
        }
        int bytes = (isPair(name) ? 2 : 1) << insn.c;
        if (name.contains("_reg_")) {
            boolean whole = insn.a != Shift.UXTW && insn.a != Shift.SXTW && insn.rm < CpuState.SP;
            return whole ? new Place(insn.rn, insn.rm, insn.b, 0, bytes, 0) : null;
        }
        return new Place(insn.rn, Place.NONE, 0, name.contains("_post") ? 0 : insn.imm, bytes,
                isWriteBack(name) ? insn.imm : 0);
    }

    private static boolean isPair(String name) {
        return name.startsWith("LDP_") || name.startsWith("STP_") || name.startsWith("LDNP_") || name.startsWith("STNP_");
    }

    /** One look into the TLB for all parts. */
    private void memory(Insn insn, String name) {
        boolean pair = isPair(name);
        boolean load = name.startsWith("LD");
        Place place = place(insn);
        if (place == null) {
            code.aload(Locals.TLB);
            emit.get(insn.rn);
            index(insn);
            look.host(!load, 1 << insn.c);
        } else {
            look.host(!load, place);
        }
        code.lstore(Locals.TEMP_4);
        if (pair || insn.c == 4) {
            wide(insn, load, pair);
        } else {
            code.lload(Locals.TEMP_4);
            if (load) {
                hostLoad(insn.c);
                code.lstore(Locals.low(insn.rd)).lconst_0().lstore(Locals.high(insn.rd));
            } else {
                hostStore(insn.c, Locals.low(insn.rd));
            }
        }
        if (isWriteBack(name)) {
            emit.get(insn.rn);
            code.loadConstant(insn.imm).ladd();
            emit.set(insn.rn);
        }
    }

    private void index(Insn insn) {
        emit.get(insn.rm);
        if (insn.a == Shift.UXTW) {
            emit.low();
        } else if (insn.a == Shift.SXTW) {
            code.l2i().i2l();
        }
        if (insn.b != 0) {
            code.loadConstant(insn.b).lshl();
        }
        code.ladd();
    }

    /** Parts of 4 or 8 bytes at the host address in TEMP_4. */
    private void wide(Insn insn, boolean load, boolean pair) {
        int partLog2 = Math.min(insn.c, 3);
        int[] parts;
        if (insn.c == 4) {
            parts = pair ? new int[] {Locals.low(insn.rd), Locals.high(insn.rd), Locals.low(insn.ra), Locals.high(insn.ra)}
                    : new int[] {Locals.low(insn.rd), Locals.high(insn.rd)};
        } else {
            parts = new int[] {Locals.low(insn.rd), Locals.low(insn.ra)};
        }
        transfer(parts, partLog2, load);
        if (load && insn.c != 4) {
            code.lconst_0().lstore(Locals.high(insn.rd)).lconst_0().lstore(Locals.high(insn.ra));
        }
    }

    /** Registers one after the other, 8 or 16 bytes of each, then write-back. */
    private void wholeRegisters(Insn insn, boolean load) {
        int count = (int) insn.imm / (8 << insn.b);
        int[] parts = new int[count << insn.b];
        for (int k = 0; k < count; k++) {
            parts[k << insn.b] = Locals.low(insn.rd + k & 31);
            if (insn.b != 0) {
                parts[2 * k + 1] = Locals.high(insn.rd + k & 31);
            }
        }
        look.host(!load, new Place(insn.rn, Place.NONE, 0, 0, (int) insn.imm, 0));
        code.lstore(Locals.TEMP_4);
        transfer(parts, 3, load);
        for (int k = 0; k < count && load && insn.b == 0; k++) {
            code.lconst_0().lstore(Locals.high(insn.rd + k & 31));
        }
        if (insn.rm >= 0) {
            emit.get(insn.rn);
            if (insn.rm == CpuState.ZR_READ) {
                code.loadConstant(insn.imm);
            } else {
                emit.get(insn.rm);
            }
            code.ladd();
            emit.set(insn.rn);
        }
    }

    /** Parts at the host address in TEMP_4. */
    private void transfer(int[] parts, int partLog2, boolean load) {
        for (int i = 0; i < parts.length; i++) {
            code.lload(Locals.TEMP_4);
            if (i > 0) {
                code.loadConstant((long) i << partLog2).ladd();
            }
            if (load) {
                hostLoad(partLog2);
                code.lstore(parts[i]);
            } else {
                hostStore(partLog2, parts[i]);
            }
        }
    }

    /** Stack: ..., host -> ..., value. */
    private void hostLoad(int sizeLog2) {
        switch (sizeLog2) {
            case 0 -> code.invokestatic(Names.DIRECT, "get8", Names.INT_OF_LONG).i2l();
            case 1 -> code.invokestatic(Names.DIRECT, "get16", Names.INT_OF_LONG).i2l();
            case 2 -> {
                code.invokestatic(Names.DIRECT, "get32", Names.INT_OF_LONG);
                emit.zeroExtend();
            }
            default -> code.invokestatic(Names.DIRECT, "get64", Names.LONG_OF_LONG);
        }
    }

    /** Stack: ..., host -> ... */
    private void hostStore(int sizeLog2, int local) {
        code.lload(local);
        if (sizeLog2 == 3) {
            code.invokestatic(Names.DIRECT, "put64", Names.WRITE_LONG);
        } else {
            code.l2i().invokestatic(Names.DIRECT, sizeLog2 == 0 ? "put8" : sizeLog2 == 1 ? "put16" : "put32",
                    Names.WRITE_INT);
        }
    }

    // Data

    private interface HalfWriter {
        /** Stack: ... -> ..., half of the result. {@code high} is 0 or 2, to add to the low local. */
        void write(int high);
    }

    private void halves(Insn insn, HalfWriter half) {
        half.write(0);
        if (insn.b == 0) {
            emit.setLowHalf(insn.rd);
        } else {
            half.write(2);
            code.lstore(Locals.high(insn.rd)).lstore(Locals.low(insn.rd));
        }
    }

    /** A full register; {@code half} is 0 or 1 here. */
    private void both(Insn insn, HalfWriter half) {
        half.write(0);
        half.write(1);
        code.lstore(Locals.high(insn.rd)).lstore(Locals.low(insn.rd));
    }

    /** Stack: ... -> ..., both halves of a register. */
    private void load(int register) {
        code.lload(Locals.low(register)).lload(Locals.high(register));
    }

    private void crypto(Insn insn, String name) {
        String method = name.toLowerCase(Locale.ROOT);
        switch (name) {
            case "AESE", "AESD" -> both(insn, half -> {
                code.loadConstant(half);
                load(insn.rd);
                load(insn.rn);
                code.invokestatic(Names.CRYPTO, method, CRYPTO_OF_4);
            });
            case "AESMC", "AESIMC" -> both(insn, half -> code.lload(Locals.low(insn.rn) + 2 * half)
                    .invokestatic(Names.CRYPTO, method, Names.LONG_OF_LONG));
            case "PMULL_v_1Q" -> both(insn, half -> code.loadConstant(half).lload(Locals.low(insn.rn) + 2 * insn.b)
                    .lload(Locals.low(insn.rm) + 2 * insn.b).invokestatic(Names.CRYPTO, "pmull", HALF_OF_2));
            case "SHA256SU0" -> both(insn, half -> {
                code.loadConstant(half);
                load(insn.rd);
                code.lload(Locals.low(insn.rn)).invokestatic(Names.CRYPTO, method, CRYPTO_OF_3);
            });
            default -> both(insn, half -> {
                code.loadConstant(half);
                load(insn.rd);
                load(insn.rn);
                load(insn.rm);
                code.invokestatic(Names.CRYPTO, method, CRYPTO_OF_6);
            });
        }
    }

    /** Bytes c and on of Vn followed by Vm. */
    private void extract(Insn insn) {
        int n = Locals.low(insn.rn);
        int m = Locals.low(insn.rm);
        int[] halves = insn.b == 0 ? new int[] {n, m} : new int[] {n, n + 2, m, m + 2};
        halves(insn, high -> {
            int first = insn.c / 8 + high / 2;
            int bits = 8 * (insn.c & 7);
            code.lload(halves[first]);
            if (bits != 0) {
                code.loadConstant(bits).lushr().lload(halves[first + 1]).loadConstant(64 - bits).lshl().lor();
            }
        });
    }

    /** Pairs of Vn, then of Vm. */
    private void pairwise(Insn insn, String method) {
        int n = Locals.low(insn.rn);
        int m = Locals.low(insn.rm);
        halves(insn, high -> {
            int low = high == 0 ? n : m;
            code.loadConstant(insn.a).lload(low).lload(insn.b == 0 ? m : low + 2)
                    .invokestatic(Names.HALVES, method, HALF_OF_2);
        });
    }

    /** {@return the method of {@code VectorHalves} for a row} */
    private static String method(String row) {
        return row.substring(0, row.indexOf('_')).toLowerCase(Locale.ROOT);
    }

    private void vector(Insn insn, String name) {
        int d = Locals.low(insn.rd);
        int n = Locals.low(insn.rn);
        int m = Locals.low(insn.rm);
        switch (name) {
            case "AND_v", "BIC_v", "ORR_v", "ORN_v", "EOR_v" -> halves(insn, h -> {
                code.lload(n + h).lload(m + h);
                if (name.equals("BIC_v") || name.equals("ORN_v")) {
                    code.loadConstant(-1L).lxor();
                }
                switch (name) {
                    case "AND_v", "BIC_v" -> code.land();
                    case "EOR_v" -> code.lxor();
                    default -> code.lor();
                }
            });
            // m ^ (m ^ n) & d
            case "BSL_v" -> halves(insn, h -> code.lload(m + h).lload(m + h).lload(n + h).lxor().lload(d + h).land().lxor());
            case "BIT_v" -> halves(insn, h -> code.lload(d + h).lload(d + h).lload(n + h).lxor().lload(m + h).land().lxor());
            case "BIF_v" -> halves(insn, h -> code.lload(d + h).lload(d + h).lload(n + h).lxor().lload(m + h)
                    .loadConstant(-1L).lxor().land().lxor());
            case "MLA_v", "MLS_v" -> halves(insn, h -> {
                code.loadConstant(insn.a).lload(d + h).loadConstant(insn.a).lload(n + h).lload(m + h)
                        .invokestatic(Names.HALVES, "mul", HALF_OF_2)
                        .invokestatic(Names.HALVES, name.equals("MLA_v") ? "add" : "sub", HALF_OF_2);
            });
            case "SDOT_v", "UDOT_v" -> halves(insn, h -> code.lload(d + h).lload(n + h).lload(m + h)
                    .invokestatic(Names.HALVES, name.equals("SDOT_v") ? "sdot" : "udot", HALF_OF_3));
            case "USHR_imm_v", "SSHR_imm_v", "SHL_imm_v" -> halves(insn, h -> code.loadConstant(insn.a)
                    .loadConstant(insn.c).lload(n + h).invokestatic(Names.HALVES, method(name), SHIFTED));
            case "USRA_imm_v" -> halves(insn, h -> code.loadConstant(insn.a).lload(d + h).loadConstant(insn.a)
                    .loadConstant(insn.c).lload(n + h).invokestatic(Names.HALVES, "ushr", SHIFTED)
                    .invokestatic(Names.HALVES, "add", HALF_OF_2));
            case "CMEQ_z_v" -> halves(insn, h -> code.loadConstant(insn.a).lload(n + h).lconst_0()
                    .invokestatic(Names.HALVES, "cmeq", HALF_OF_2));
            case "REV16_v", "REV32_v", "REV64_v" -> halves(insn, h -> code.loadConstant(insn.a)
                    .loadConstant(name.startsWith("REV16") ? 1 : name.startsWith("REV32") ? 2 : 3).lload(n + h)
                    .invokestatic(Names.HALVES, "reverse", SHIFTED));
            case "SHRN_v" -> {
                code.loadConstant(insn.a).loadConstant(insn.c).lload(n).lload(n + 2)
                        .invokestatic(Names.HALVES, "shrn", NARROWED);
                if (insn.b == 0) {
                    emit.setLowHalf(insn.rd);
                } else {
                    code.lstore(d + 2);
                }
            }
            case "EXT" -> extract(insn);
            case "UMAXP_v", "UMINP_v", "ADDP_v" -> pairwise(insn, method(name));
            case "AESE", "AESD", "AESMC", "AESIMC", "PMULL_v_1Q", "SHA256H", "SHA256H2", "SHA256SU0", "SHA256SU1" ->
                    crypto(insn, name);
            case "INS_asimdins_IV_v" -> {
                element(insn, (int) insn.imm);
                insertAt(insn);
            }
            case "DUP_asimdins_DV_v" -> {
                element(insn, insn.c);
                replicate(insn);
            }
            case "DUP_asimdins_DR_r" -> {
                emit.get(insn.rn);
                replicate(insn);
            }
            case "UMOV_asimdins" -> {
                element(insn, insn.c);
                emit.set(insn.rd);
            }
            case "INS_asimdins_IR_r" -> {
                emit.get(insn.rn);
                insertAt(insn);
            }
            case "FMOV_float_gen_WS" -> {
                code.lload(n);
                emit.setLow(insn.rd);
            }
            case "FMOV_float_gen_XD" -> {
                code.lload(n);
                emit.set(insn.rd);
            }
            case "FMOV_float_gen_SW" -> {
                emit.get(insn.rn);
                emit.low();
                emit.setLowHalf(insn.rd);
            }
            case "FMOV_float_gen_DX" -> {
                emit.get(insn.rn);
                emit.setLowHalf(insn.rd);
            }
            default -> {
                if (name.startsWith("MOVI_") || name.startsWith("MVNI_") || name.startsWith("FMOV_")) {
                    halves(insn, h -> code.loadConstant(insn.imm));
                } else {
                    halves(insn, h -> code.loadConstant(insn.a).lload(n + h).lload(m + h).invokestatic(Names.HALVES,
                            method(name), HALF_OF_2));
                }
            }
        }
    }

    /** Stack: ... -> ..., an element of Vn. */
    private void element(Insn insn, int index) {
        int bit = index << 3 + insn.a;
        code.lload(bit >= 64 ? Locals.high(insn.rn) : Locals.low(insn.rn));
        if ((bit & 63) != 0) {
            code.loadConstant(bit & 63).lushr();
        }
        if (insn.a != 3) {
            code.loadConstant((1L << (8 << insn.a)) - 1).land();
        }
    }

    /** Stack: ..., element -> ... */
    private void replicate(Insn insn) {
        code.lstore(Locals.TEMP_1).loadConstant(insn.a).lload(Locals.TEMP_1)
                .invokestatic(Names.HALVES, "replicate", REPLICATED).lstore(Locals.TEMP_1);
        halves(insn, h -> code.lload(Locals.TEMP_1));
    }

    /** Stack: ..., value -> ... Its low bits become element c of Vd. */
    private void insertAt(Insn insn) {
        int bit = insn.c << 3 + insn.a;
        int local = bit >= 64 ? Locals.high(insn.rd) : Locals.low(insn.rd);
        long mask = insn.a == 3 ? -1 : (1L << (8 << insn.a)) - 1;
        code.loadConstant(mask).land().loadConstant(bit & 63).lshl()
                .lload(local).loadConstant(~(mask << (bit & 63))).land().lor().lstore(local);
    }
}
