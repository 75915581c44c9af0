#!/usr/bin/perl
# The method of smtp-user-enum, which Debian does not have: five processes, a connection for each
# name, every reply waited for. one-by-one.pl ADDRESS DOMAIN, names on standard input, a line each;
# prints the names that are taken. Angle brackets are right here, so that no server is missed.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket;

my ($address, $domain) = @ARGV;
my $processes = 5;
my $seconds   = 5;
my @names     = map { chomp; $_ } <STDIN>;

my $select = IO::Select->new;
for (1 .. $processes) {
    socketpair(my $child, my $parent, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!";
    $child->autoflush(1);
    $parent->autoflush(1);
    my $pid = fork() // die "fork: $!";
    if ($pid == 0) {
        close $parent;
        while (defined(my $name = <$child>)) {
            chomp $name;
            print {$child} is_taken($name) ? "+$name\n" : "-$name\n";
        }
        exit 0;
    }
    close $child;
    $select->add($parent);
    my $name = shift @names;
    print {$parent} "$name\n" if defined $name;
}

while ($select->count > 0) {
    for my $worker ($select->can_read) {
        my $line = <$worker>;
        print substr($line, 1) if defined $line && $line =~ /^\+/;
        my $name = shift @names;
        if   (defined $line && defined $name) { print {$worker} "$name\n" }
        else                                  { $select->remove($worker); close $worker }
    }
}
1 while wait() > 0;

sub is_taken {
    my ($name) = @_;
    my $reply = eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm $seconds;
        my $server = IO::Socket::INET->new(PeerAddr => $address, PeerPort => 25, Proto => 'tcp')
            or die "connect: $!\n";
        my $last;
        $server->recv($last, 10_000);
        for my $command ('HELO x', 'MAIL FROM:<user@example.com>', "RCPT TO:<$name\@$domain>") {
            $server->send("$command\r\n");
            $server->recv($last, 10_000);
        }
        $server->close;
        alarm 0;
        $last;
    };
    alarm 0;
    return defined $reply && $reply =~ /^2/;
}
