package gunyah.rm.rpc;

import java.util.ArrayList;
import java.util.List;

/**
 * VM_AUTH_IMAGE: parameters of the platform's authentication.
 *
 * @param vmid       target
 * @param parameters at most 512, in the sender's order
 */
public record AuthImage(int vmid, List<Parameter> parameters) implements Payload {
    private static final int MAX_PARAMETERS = 512;
    private static final int PARAMETER_SIZE = 8;

    /** One parameter; its meaning is the platform's. */
    public record Parameter(int type, int value) {
    }

    public AuthImage {
        parameters = List.copyOf(parameters);
    }

    public static AuthImage decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 4);
        int vmid = reader.u16();
        int count = reader.u16();
        if (count > MAX_PARAMETERS || count * PARAMETER_SIZE != reader.remaining()) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        List<Parameter> parameters = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            parameters.add(new Parameter(reader.u32(), reader.u32()));
        }
        return new AuthImage(vmid, parameters);
    }

    @Override
    public byte[] encode() {
        WireWriter writer = new WireWriter().u16(vmid).u16(parameters.size());
        parameters.forEach(p -> writer.u32(p.type).u32(p.value));
        return writer.toBytes();
    }
}
