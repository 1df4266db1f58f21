package gunyah.rm;

import gunyah.rm.rpc.ConsoleText;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.StatusUpdate;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.WireReader;

/** What VMs tell each other through the Resource Manager: status and console. */
final class NewsScene implements Scene {
    private final RealHost host;
    private Agent vm;

    NewsScene(RealHost host) {
        this.host = host;
    }

    @Override
    public void prepare(Life life) {
        vm = life.agent(() -> new Agent(host, Agent.tree("alone", 1), 0x4400_0000L));
        vm.start();
        vm.run();
        host.ok(MessageId.CONSOLE_OPEN, new VmRequest(vm.vmid));
        Life.ok(vm, MessageId.CONSOLE_OPEN, new VmRequest(0));
    }

    @Override
    public void act(Life life) {
        for (int i = 1; i <= 2; i++) {
            int status = i;
            life.tries(() -> {
                Life.ok(vm, MessageId.VM_SET_STATUS, new StatusUpdate(4, status));
                host.await(MessageId.VM_STATUS, payload -> new WireReader(payload).skip(4).u16() == status);
            });
            life.tries(() -> {
                Life.ok(vm, MessageId.CONSOLE_WRITE, new ConsoleText(0, new byte[] {(byte) status}));
                host.await(MessageId.CONSOLE_CHARS, payload -> true);
            });
            life.tries(() -> host.ok(MessageId.CONSOLE_WRITE, new ConsoleText(vm.vmid, new byte[300])));
        }
    }
}
