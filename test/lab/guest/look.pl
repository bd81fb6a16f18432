#!/usr/bin/perl
# What thin volumes hold, for a checker that believes nobody. In: their names, as lvs prints them. Out: "NAME BYTES MARK",
# MARK being the word that fills the first sector, "-" for zeros, "?" for what cannot be read.
use strict;
use warnings;
while (my $name = <STDIN>) {
  $name =~ s/\s//g;
  next if $name eq '';
  open(my $device, '<:raw', "/dev/qubes_dom0/$name") or do { print "$name 0 ?\n"; next };
  my $got = sysread($device, my $sector, 512);
  my $size = sysseek($device, 0, 2) || 0;
  my $mark = '?';
  if (defined $got && $got == 512) {
    if ($sector =~ /^\0+$/) { $mark = '-' }
    elsif ($sector =~ /^(\w+) / && $sector eq substr("$1 " x 512, 0, 512)) { $mark = $1 }
    else { $mark = 'torn' }
  }
  print "$name ", $size + 0, " $mark\n";
}
