"""What an approval is and every rule about it: values and pure functions, without clock, I/O, Azure or HTTP."""
