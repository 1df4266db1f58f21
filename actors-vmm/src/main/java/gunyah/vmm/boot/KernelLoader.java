package gunyah.vmm.boot;

import gunyah.config.BadInput;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Finds out what a kernel or firmware file is and where its bytes go: an arm64 Image, plain, gzip or in an EFI zboot
 * image; an ELF executable;
 * else raw bytes. Files that cannot be any of these for us (other architectures, other compressions, cut off) are
 * refused by name.
 */
public final class KernelLoader {
    /** Where raw bytes go, from the start of RAM. */
    public static final long RAW_OFFSET = 0x80000;
    /** Where firmware goes, from the start of RAM, which is kept for the device tree. */
    public static final long FIRMWARE_OFFSET = 0x200000;

    private static final int ZBOOT_HEADER = 64;
    private static final int ZBOOT_OFFSET_AT = 8;
    private static final int ZBOOT_SIZE_AT = 12;
    private static final int ZBOOT_TYPE_AT = 24;

    private final Ram ram;

    public KernelLoader(Ram ram) {
        this.ram = ram;
    }

    /**
     * Places a kernel.
     *
     * @param name for messages
     * @throws BadInput when it cannot run here
     */
    public GuestImage kernel(String name, byte[] file) {
        Bytes bytes = plain(name, file);
        refuseForeign(name, bytes);
        if (Arm64Image.matches(bytes)) {
            return Arm64Image.load(name, bytes, ram);
        }
        if (Elf64.matches(bytes)) {
            return Elf64.load(name, bytes, ram);
        }
        return raw(name, bytes, ram.base() + RAW_OFFSET);
    }

    /** Places raw firmware, entered at its first byte. */
    public GuestImage firmware(String name, byte[] file) {
        Bytes bytes = plain(name, file);
        refuseForeign(name, bytes);
        if (Elf64.matches(bytes)) {
            throw new BadInput(name + " is an ELF file; firmware must be a raw binary such as u-boot.bin");
        }
        return raw(name, bytes, ram.base() + FIRMWARE_OFFSET);
    }

    private GuestImage raw(String name, Bytes bytes, long address) {
        ram.require(name, address, bytes.length());
        return new GuestImage(address, List.of(GuestImage.Chunk.of(address, bytes.array())), address,
                address + bytes.length());
    }

    private Bytes plain(String name, byte[] file) {
        if (file.length == 0) {
            throw new BadInput(name + " is empty");
        }
        Bytes bytes = new Bytes(file);
        if (bytes.startsWith(0x1f, 0x8b)) {
            return new Bytes(gunzip(name, file));
        }
        if (bytes.startsWith('M', 'Z', 0, 0, 'z', 'i', 'm', 'g')) {
            return new Bytes(gunzip(name, zbootPayload(name, bytes)));
        }
        String compression = null;
        if (bytes.startsWith(0xfd, '7', 'z', 'X', 'Z', 0)) {
            compression = "xz";
        } else if (bytes.startsWith(0x28, 0xb5, 0x2f, 0xfd)) {
            compression = "zstd";
        } else if (bytes.startsWith('B', 'Z', 'h')) {
            compression = "bzip2";
        } else if (bytes.startsWith(0x04, 0x22, 0x4d, 0x18) || bytes.startsWith(0x02, 0x21, 0x4c, 0x18)) {
            compression = "lz4";
        }
        if (compression != null) {
            throw new BadInput("%s is compressed with %s; only gzip is understood, decompress it first"
                    .formatted(name, compression));
        }
        return bytes;
    }

    /** The kernel inside an EFI zboot image (Linux drivers/firmware/efi/libstub/zboot-header.S). */
    private static byte[] zbootPayload(String name, Bytes bytes) {
        if (bytes.length() < ZBOOT_HEADER) {
            throw new BadInput(name + " is cut off inside its zboot header");
        }
        long from = bytes.u32(ZBOOT_OFFSET_AT) & 0xffff_ffffL;
        long size = bytes.u32(ZBOOT_SIZE_AT) & 0xffff_ffffL;
        byte[] file = bytes.array();
        if (!new String(file, ZBOOT_TYPE_AT, 5, StandardCharsets.US_ASCII).equals("gzip\0")) {
            throw new BadInput("%s is a zboot image, but not compressed with gzip".formatted(name));
        }
        if (from + size > file.length) {
            throw new BadInput("%s is cut off: its zboot payload ends at %d of %d bytes"
                    .formatted(name, from + size, file.length));
        }
        return Arrays.copyOfRange(file, (int) from, (int) (from + size));
    }

    private byte[] gunzip(String name, byte[] file) {
        ByteArrayOutputStream plain = new ByteArrayOutputStream(Math.max(file.length, 1 << 16) * 2);
        byte[] piece = new byte[1 << 16];
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(file))) {
            for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
                plain.write(piece, 0, n);
                if (plain.size() > ram.size()) {
                    throw new BadInput("%s is larger than the guest memory of %d MiB when unpacked"
                            .formatted(name, ram.size() >> 20));
                }
            }
        } catch (EOFException e) {
            throw new BadInput(name + " is cut off: its gzip data ends early", e);
        } catch (ZipException e) {
            throw new BadInput("%s is damaged gzip data: %s".formatted(name, e.getMessage()), e);
        } catch (IOException e) {
            throw new BadInput("%s cannot be unpacked: %s".formatted(name, e.getMessage()), e);
        }
        if (plain.size() == 0) {
            throw new BadInput(name + " is empty when unpacked");
        }
        return plain.toByteArray();
    }

    private static void refuseForeign(String name, Bytes bytes) {
        String what = null;
        if (bytes.length() > 0x206 && bytes.u32(0x202) == 0x53726448) {
            what = "an x86 kernel (bzImage)";
        } else if (bytes.length() > 0x28 && bytes.u32(0x24) == 0x016f2818) {
            what = "a 32-bit Arm kernel (zImage)";
        } else if (bytes.startsWith(0xd0, 0x0d, 0xfe, 0xed)) {
            what = "a device tree or FIT image";
        } else if (bytes.startsWith('!', '<', 'a', 'r', 'c', 'h', '>')) {
            what = "a package or library archive";
        } else if (bytes.startsWith('#', '!')) {
            what = "a script";
        } else if (bytes.startsWith('0', '7', '0', '7', '0')) {
            what = "a cpio archive; give it as the initrd";
        } else if (bytes.startsWith('M', 'Z') && !Arm64Image.matches(bytes)) {
            what = foreignPe(bytes);
        }
        if (what != null) {
            throw new BadInput("%s is %s; an arm64 Image, an AArch64 ELF file or raw code is needed"
                    .formatted(name, what));
        }
    }

    private static String foreignPe(Bytes bytes) {
        long header = bytes.length() >= 64 ? bytes.u32(60) & 0xffff_ffffL : 0;
        int machine = header + 6 <= bytes.length() && header != 0 ? bytes.u16((int) header + 4) : 0;
        return switch (machine) {
            case 0x8664 -> "an x86-64 EFI program";
            case 0xaa64 -> "an arm64 EFI program without a kernel header";
            default -> "an EFI program for another machine, or cut off";
        };
    }
}
